/** How the last forecasts did, once their time had come. */

import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import type { Accuracy, FleetDetail, Score } from "./views";
import { clock, percent } from "./wording";

const [WIDTH, HEIGHT] = [600, 96];

export function AccuracyCard({ fleet }: { fleet: FleetDetail }) {
  const live = useLive<Accuracy>(`fleets/${encodeURIComponent(fleet.name)}/accuracy`, 60_000);
  return (
    <section class="card">
      <h2>Accuracy</h2>
      <Shown live={live} rows={2}>
        {(found) => (found.items.length ? <Record found={found} target={fleet.target_quantile} /> : <NotYet />)}
      </Shown>
    </section>
  );
}

function NotYet() {
  return <Notice title="No forecast has come of age yet">A forecast is scored once its 48 hours have been measured.</Notice>;
}

function Record({ found, target }: { found: Accuracy; target: number }) {
  const bias = found.bias ?? 0;
  return (
    <>
      <p>
        Of the last {Math.min(24, found.items.length)} scored forecasts: off by <strong>{percent(found.wape, 1)}</strong> of the load,{" "}
        {percent(Math.abs(bias), 1)} too {bias > 0 ? "high" : "low"} on balance; p90 was enough <strong>{percent(found.coverage)}</strong>{" "}
        of the time. The policy asks for {percent(target)}.
      </p>
      {found.items.length > 1 && <Line items={found.items} />}
    </>
  );
}

/** The error of each forecast over time: a line is enough to see whether it grows. */
function Line({ items }: { items: Score[] }) {
  const top = Math.max(0.1, ...items.map((item) => item.wape)) * 1.15;
  const points = items.map((item, index) => {
    const x = (index / (items.length - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - (item.wape / top) * HEIGHT).toFixed(1)}`;
  });
  const said = `Error of ${items.length} forecasts, between ${percent(Math.min(...items.map((i) => i.wape)), 1)} and ${percent(Math.max(...items.map((i) => i.wape)), 1)}`;
  return (
    <figure class="line">
      <span class="scale">{percent(top)}</span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={said}>
        <polyline points={points.join(" ")} />
      </svg>
      <figcaption class="quiet">
        <span>{clock(items[0]?.at ?? null)}</span>
        <span>error of each forecast, by when it was made</span>
        <span>{clock(items.at(-1)?.at ?? null)}</span>
      </figcaption>
    </figure>
  );
}
