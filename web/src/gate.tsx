/** How far a fleet's forecast is trusted, on what evidence; and what people decided over it. */

import { Badge } from "./badge";
import { Figure } from "./fleets";
import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import type { Evidence, Gate, Override } from "./views";
import { away, clock, count, EVERY_FLEET, percent, spell } from "./wording";

export function GateCard({ base, asked }: { base: string; asked: number }) {
  const live = useLive<Gate | null>(`${base}/gate`, 30_000);
  const missing = <Notice title="Not reviewed yet">review_fleets judges every fleet once a day.</Notice>;
  return (
    <section class="card gate">
      <div class="cardhead">
        <h2>Trust {live.data && <Badge word={live.data.stage} />}</h2>
        {live.data && <span class="quiet">{`since ${clock(live.data.since)}, ${away(live.data.since)}, by ${live.data.actor}`}</span>}
      </div>
      <Shown live={live} rows={2} missing={missing}>
        {(gate) => gate && <Standing gate={gate} asked={asked} />}
      </Shown>
    </section>
  );
}

function Standing({ gate, asked }: { gate: Gate; asked: number }) {
  return (
    <>
      <p>{gate.reason}</p>
      <dl class="figures">
        {gate.evidence && <Figures evidence={gate.evidence} />}
        {gate.failures > 0 && <Figure title="Failed reviews" value={count(gate.failures)} more="in a row" tone="bad" />}
        <Boot gate={gate} asked={asked} />
      </dl>
    </>
  );
}

function Figures({ evidence }: { evidence: Evidence }) {
  const { wape, flat, extra_cost: extra, floor, reactive } = evidence;
  return (
    <>
      {wape !== undefined && <Figure title="Forecast off by" value={percent(wape)} more={flat === undefined ? "" : `a flat line by ${percent(flat)}`} />}
      {floor && <Figure title="Short with it" value={percent(floor.under_time_share, 1)} more={reactive ? `alone ${percent(reactive.under_time_share, 1)}` : ""} />}
      {extra !== undefined && <Figure title="Costs" value={percent(Math.abs(extra))} more={extra < 0 ? "less than reacting alone" : "more than reacting alone"} />}
    </>
  );
}

function Boot({ gate, asked }: { gate: Gate; asked: number }) {
  if (gate.boot_seconds === null) return <Figure title="Boot time" value={spell(asked)} more="as its file says; none learned yet" />;
  return <Figure title="Boot time" value={spell(gate.boot_seconds)} more={`learned from ${count(gate.launches)} launches; the file says ${spell(asked)}`} />;
}

export function Overrides({ items, group }: { items: Override[]; group: string }) {
  if (items.length === 0) return null;
  const rules = ruling(items, group);
  return (
    <div class="warning overrides" role="status">
      {items.map((each) => (
        <p key={each.id}>
          <strong>{sizes(each)}</strong> {`by ${each.actor}, ${until(each)}: ${each.reason}`}
          {!isOn(group, each) && <small>{`not obeyed on ${group}: it was laid on ${each.group}`}</small>}
          {each.holds && isOn(group, each) && each !== rules && <small>{`behind ${rules?.kind.replaceAll("_", " ")}, which rules for as long as it holds`}</small>}
        </p>
      ))}
    </div>
  );
}

/** Of those that are open, newest first, the one that rules a group now. */
export function ruling(items: Override[], group: string): Override | undefined {
  const holding = items.filter((each) => each.holds && isOn(group, each));
  return holding.find((each) => each.kind === "stop") ?? holding[0];
}

/** Whether it concerns a group; a fleet may have been given another since. */
function isOn(group: string, { group: laid }: Override): boolean {
  return laid === null || laid === group;
}

function sizes({ kind, fleet, min_size: least, max_size: most }: Override): string {
  const told = [least === null ? "" : `min ${least}`, most === null ? "" : `max ${most}`].filter(Boolean).join(", ");
  return `${fleet === EVERY_FLEET ? "every fleet: " : ""}${kind.replaceAll("_", " ")}${told ? ` (${told})` : ""}`;
}

function until({ holds, starts_at: starts, ends_at: ends, ended_at: ended }: Override): string {
  if (ended !== null) return `ended ${clock(ended)}, the fleet is not seen to be back yet`;
  if (!holds && Date.parse(starts) > Date.now()) return `from ${clock(starts)}`;
  if (ends === null) return "until it is ended";
  return holds ? `until ${clock(ends)}, ${away(ends)}` : `over since ${clock(ends)}, the fleet is not seen to be back yet`;
}
