/** What policies would have done to the fleet in each mode of scaling: the stored replays, and the way to another. */

import { useState } from "preact/hooks";
import { Acts } from "./acts";
import { Badge } from "./badge";
import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import type { FleetDetail, Outcome, WhatIf, WhatIfPage } from "./views";
import { clock, count, load, money, percent, spell, stamp } from "./wording";

export function WhatIfCard({ fleet }: { fleet: FleetDetail }) {
  const live = useLive<WhatIfPage>(`whatif?fleet=${encodeURIComponent(fleet.name)}`, 30_000);
  const given = { fleet: fleet.name };
  return (
    <section class="card">
      <div class="cardhead">
        <h2>What if</h2>
        <Acts acts={[{ dagId: "replay_policy", label: "Replay…", title: `Replay ${fleet.name}`, given }]} />
      </div>
      <Shown live={live} rows={2}>
        {(page) => (page.items.length ? <Replays items={page.items} /> : <NotYet />)}
      </Shown>
    </section>
  );
}

function NotYet() {
  return <Notice title="Not replayed yet">A replay tells how long each policy and mode would have been short, and what it would have paid.</Notice>;
}

function Replays({ items }: { items: WhatIf[] }) {
  const [chosen, choose] = useState<string | null>(null);
  const shown = items.find((each) => each.at === chosen) ?? items[0]!;
  return (
    <>
      {items.length > 1 && (
        <div class="chips" role="group" aria-label="Replay shown">
          {items.map((each) => (
            <button key={each.at} type="button" class="chip" aria-pressed={each === shown} onClick={() => choose(each.at)}>
              {stamp(each.at)}
            </button>
          ))}
        </div>
      )}
      <p class="quiet">{`Of ${clock(shown.since)} to ${clock(shown.until)}, with instances up in ${spell(shown.boot_seconds)}; replayed ${stamp(shown.at)}.`}</p>
      <Table replay={shown} />
      {shown.outcomes.some((each) => each.best) && (
        <p class="quiet">{`Best is the least time short for no more than ${percent(shown.max_extra_cost)} above reacting alone.`}</p>
      )}
    </>
  );
}

function Table({ replay }: { replay: WhatIf }) {
  const priced = replay.outcomes.some((each) => each.monthly_cost !== null);
  const policies = [...new Set(replay.outcomes.map((each) => each.policy))];
  return (
    <table class="replay">
      <thead>
        <tr>
          <th>Mode</th>
          <th class="number">Time short</th>
          {priced && <th class="number">Cost a month</th>}
          <th class="number">Idle hours</th>
          <th class="number">Instance-hours</th>
          <th class="number">Changes a day</th>
        </tr>
      </thead>
      {policies.map((policy) => (
        <tbody key={policy}>
          {policies.length > 1 && (
            <tr class="policy">
              <th scope="rowgroup" colSpan={priced ? 6 : 5}>
                <div>
                  <strong>{policy}</strong> {differing(replay, policy)}
                </div>
              </th>
            </tr>
          )}
          {replay.outcomes.filter((each) => each.policy === policy).map((each) => <Row key={each.mode} outcome={each} priced={priced} />)}
        </tbody>
      ))}
    </table>
  );
}

/** What a policy has otherwise than the fleet's own. */
function differing(replay: WhatIf, policy: string): string {
  const changes = Object.entries(replay.variations[policy] ?? {});
  if (changes.length === 0) return "as it is";
  return changes.map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
}

function Row({ outcome, priced }: { outcome: Outcome; priced: boolean }) {
  return (
    <tr>
      <td>
        {outcome.mode.replaceAll("_", " ")} {outcome.best && <Badge word="best" />}
      </td>
      <td class="number">{percent(outcome.under_time_share, 1)}</td>
      {priced && <td class="number">{money(outcome.monthly_cost)}</td>}
      <td class="number">{percent(outcome.over_hours_share)}</td>
      <td class="number">{count(Math.round(outcome.instance_hours))}</td>
      <td class="number">{load(outcome.actions_per_day)}</td>
    </tr>
  );
}
