/** The frame: two tabs, and the view the address asks for. */

import { useEffect, useRef } from "preact/hooks";
import { EventView } from "./event";
import { EventsView } from "./events";
import { FleetView } from "./fleet";
import { FleetsView } from "./fleets";
import { to, useRoute, type Route } from "./route";
import { zoneName } from "./wording";

const TABS = [
  { name: "Fleets", view: "fleets", holds: ["fleets", "fleet"] },
  { name: "Events", view: "events", holds: ["events", "event"] },
] as const;

/** Whether a view was shown before; Airflow makes the page anew when its address changes. */
let arrived = false;

export function Page({ theme }: { theme: string }) {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  // The link that led here is gone, and whoever goes by keyboard or by ear goes on with what came in its place.
  useEffect(() => {
    if (arrived) main.current?.focus({ preventScroll: true });
    arrived = true;
  }, [route.view, route.name]);
  return (
    <div class="page">
      <header class="top">
        <h1>Scaling</h1>
        <nav aria-label="Scaling">
          {TABS.map((tab) => {
            const here = (tab.holds as readonly string[]).includes(route.view);
            return (
              <a key={tab.view} href={to(tab.view)} aria-current={here ? "page" : undefined}>
                {tab.name}
              </a>
            );
          })}
        </nav>
        <span class="quiet zone">times in {zoneName()}</span>
      </header>
      <main ref={main} tabIndex={-1}>{view(route, theme)}</main>
    </div>
  );
}

function view(route: Route, theme: string) {
  switch (route.view) {
    case "fleets":
      return <FleetsView />;
    case "fleet":
      return <FleetView key={route.name} name={route.name} theme={theme} />;
    case "events":
      return <EventsView asked={route.asked} />;
    case "event":
      return <EventView key={route.name} id={route.name} />;
  }
}
