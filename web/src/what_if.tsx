/** What each mode of scaling would have done to the fleet: the replays that are stored, and the way to another. */

import { useState } from "preact/hooks";
import { Acts } from "./acts";
import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import type { FleetDetail, Replay, ReplayPage } from "./views";
import { clock, count, load, money, percent, spell, stamp } from "./wording";

export function WhatIfCard({ fleet, base }: { fleet: FleetDetail; base: string }) {
  const live = useLive<ReplayPage>(`${base}/replays`, 30_000);
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
  return <Notice title="Not replayed yet">A replay tells how long each mode of scaling would have been short, and what it would have paid.</Notice>;
}

function Replays({ items }: { items: Replay[] }) {
  const [at, setAt] = useState(0);
  const shown = items[at] ?? items[0]!;
  return (
    <>
      {items.length > 1 && (
        <div class="chips" role="group" aria-label="Replay shown">
          {items.map((each, index) => (
            <button key={each.at} type="button" class="chip" aria-pressed={each === shown} onClick={() => setAt(index)}>
              {stamp(each.at)}
            </button>
          ))}
        </div>
      )}
      <p class="quiet">{`Of ${clock(shown.since)} to ${clock(shown.until)}, with instances up in ${spell(shown.boot_seconds)}; replayed ${stamp(shown.at)}.`}</p>
      <Table replay={shown} />
    </>
  );
}

function Table({ replay }: { replay: Replay }) {
  const priced = replay.modes.some((mode) => mode.cost > 0);
  return (
    <table class="replay">
      <thead>
        <tr>
          <th>Mode</th>
          <th class="number">Time short</th>
          <th class="number">Idle hours</th>
          <th class="number">Instance-hours</th>
          <th class="number">Changes a day</th>
          {priced && <th class="number">Cost</th>}
        </tr>
      </thead>
      <tbody>
        {replay.modes.map((mode) => (
          <tr key={mode.mode}>
            <td>{mode.mode.replaceAll("_", " ")}</td>
            <td class="number">{percent(mode.under_time_share, 1)}</td>
            <td class="number">{percent(mode.over_hours_share)}</td>
            <td class="number">{count(Math.round(mode.instance_hours))}</td>
            <td class="number">{load(mode.actions_per_day)}</td>
            {priced && <td class="number">{money(mode.cost)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
