/** What Airflow loads: a React component that gives the page a place of its own, and leaves Airflow's alone. */

import { render } from "preact";
import { onThemeChange } from "./airflow";
import { Page } from "./page";
import styles from "./style.css?inline";
import chartStyles from "uplot/dist/uPlot.min.css?inline";

interface React {
  createElement(type: string, props: object): unknown;
  useEffect(effect: () => () => void, inputs: unknown[]): void;
  useRef(initial: null): { current: HTMLElement | null };
}

declare global {
  var React: React;
  var AirflowPlugin: unknown;
}

/** Draw the page below an element, in a shadow root: Airflow's styles stay outside and ours inside. */
function mount(place: HTMLElement): () => void {
  const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(chartStyles + styles);
  root.adoptedStyleSheets = [sheet];
  const draw = () => {
    place.dataset.theme = document.documentElement.classList.contains("dark") ? "dark" : "light";
    render(<Page theme={place.dataset.theme} />, root);
  };
  draw();
  const stop = onThemeChange(draw);
  return () => {
    stop();
    render(null, root);
  };
}

function Scaling(): unknown {
  const { React } = globalThis;
  const place = React.useRef(null);
  React.useEffect(() => (place.current ? mount(place.current) : () => undefined), []);
  return React.createElement("div", { ref: place, id: "scaling-page", style: { flex: "1 1 auto", minHeight: 0 } });
}

globalThis.AirflowPlugin = Scaling;
