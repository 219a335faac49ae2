/** One fleet: one picture, the plan with its reasons, what is new in it, and how good its forecasts were. */

import { useState } from "preact/hooks";
import { Acts } from "./acts";
import { AccuracyCard } from "./accuracy";
import { Badge } from "./badge";
import { ofPause, ofScaling, room } from "./effects";
import { EventTable } from "./event_table";
import { isShort, serving } from "./fleet_list";
import { Figure } from "./fleets";
import { GateCard, Overrides, ruling } from "./gate";
import { InventoryCard } from "./inventory";
import { useLatest } from "./latest";
import { useLive } from "./live";
import { Loading, Notice, Shown } from "./notice";
import { Picture } from "./picture";
import { PlanCard } from "./plan";
import { Questions } from "./questions";
import { to } from "./route";
import type { Capacity, EventPage, FleetDetail, Forecast, History, Override, OverridePage, Plan } from "./views";
import { WhatIfCard } from "./what_if";
import { away, clock, count, load, money, percent, spell } from "./wording";

const PASTS = [
  { days: 1, name: "1 day" },
  { days: 3, name: "3 days" },
  { days: 7, name: "1 week" },
  { days: 28, name: "4 weeks" },
];

export function FleetView({ name, theme }: { name: string; theme: string }) {
  const live = useLive<FleetDetail>(`fleets/${encodeURIComponent(name)}`);
  return (
    <Shown live={live} missing={<NoFleet name={name} detail={live.problem?.detail ?? ""} />}>
      {(fleet) => <Fleet fleet={fleet} theme={theme} />}
    </Shown>
  );
}

/** A fleet whose file is gone or broken is still in the list, and what was done to it is still told. */
function NoFleet({ name, detail }: { name: string; detail: string }) {
  return (
    <Notice title="Not found">
      {detail}. <a href={to("events", "", { fleet: name })}>Events of that name</a>
    </Notice>
  );
}

function Fleet({ fleet: seen, theme }: { fleet: FleetDetail; theme: string }) {
  const base = `fleets/${encodeURIComponent(seen.name)}`;
  const plan = useLive<Plan>(`${base}/plan`);
  const events = useLive<EventPage>(`${base}/events?limit=100`);
  const fleet = useLatest(seen, events.data);
  const overrides = useLive<OverridePage>(`overrides?fleet=${encodeURIComponent(seen.name)}`).data?.items ?? [];
  return (
    <>
      <Head fleet={fleet} overrides={overrides} />
      <Overrides items={overrides} group={fleet.group} />
      <Questions fleet={fleet.name} />
      <Figures fleet={fleet} />
      {fleet.held_by && (
        <p class="warning">{`Held since ${clock(fleet.held_by.opened_at)} by ${fleet.held_by.kind}, ${fleet.held_by.by}: nobody else writes to it until that is settled.`}</p>
      )}
      <Conflicts conflicts={fleet.conflicts} />
      <Notes notes={fleet.notes.filter((note) => !fleet.conflicts.includes(note))} />
      <PictureCard fleet={fleet} base={base} plan={plan.data} events={events.data} theme={theme} />
      <Shown live={plan} missing={<NoPlan />}>
        {(found) => <PlanCard plan={found} />}
      </Shown>
      <InventoryCard base={base} />
      <GateCard base={base} asked={fleet.lead_time_seconds} />
      <AccuracyCard fleet={fleet} />
      <WhatIfCard fleet={fleet} />
      <section class="card">
        <h2>
          Events <a class="quiet" href={to("events", "", { fleet: fleet.name })}>all of this fleet</a>
        </h2>
        <Shown live={events}>{(page) => <EventTable rows={page.items.slice(0, 8)} fleetShown={false} />}</Shown>
      </section>
    </>
  );
}

function NoPlan() {
  return (
    <section class="card">
      <h2>Plan</h2>
      <Notice title="No plan yet">apply_plans draws one after the next forecast.</Notice>
    </section>
  );
}

/** Who or what else decides over the group, and what to do about it. */
function Conflicts({ conflicts }: { conflicts: string[] }) {
  if (conflicts.length === 0) return null;
  return (
    <div class="warning conflicts" role="status">
      <strong>Others decide over this group too</strong>
      <ul>
        {conflicts.map((conflict) => (
          <li key={conflict}>{conflict}</li>
        ))}
      </ul>
    </div>
  );
}

/** What its last turn remarked; what waits for a person stands above already. */
function Notes({ notes }: { notes: string[] }) {
  const shown = notes.filter((note) => !note.startsWith("waits for a person"));
  if (shown.length === 0) return null;
  return (
    <ul class="quiet notes">
      {shown.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

function Head({ fleet, overrides }: { fleet: FleetDetail; overrides: Override[] }) {
  const given = { fleet: fleet.name };
  // A problem is told above, a question and an override below.
  const told = ["waiting", "problem"].includes(fleet.state) || (overrides.length > 0 && ["paused", "held"].includes(fleet.state));
  const open = overrides.some((each) => each.fleet === fleet.name && each.ended_at === null);
  const rules = ruling(overrides, fleet.group);
  return (
    <div class="head">
      <div>
        <a class="quiet" href={to("fleets")}>
          ← Fleets
        </a>
        <h2>
          {fleet.name} <Badge word={fleet.state} />
        </h2>
        {fleet.state === "problem" && <p class="bad">{fleet.state_reason}</p>}
        <p class="quiet">{[told ? "" : fleet.state_reason, fleet.seen_at && `looked at ${clock(fleet.seen_at)}, ${away(fleet.seen_at)}`].filter(Boolean).join(" · ")}</p>
      </div>
      <Acts
        acts={[
          ...(open ? [{ dagId: "resume_fleet", label: "Resume…", title: `Resume ${fleet.name}`, given }] : []),
          { dagId: "pause_fleet", label: "Pause…", title: `Pause ${fleet.name}`, given, now: room(fleet), foresee: ofPause(fleet, rules) },
          { dagId: "promote_fleet", label: "Promote…", title: `Promote ${fleet.name}`, given },
          { dagId: "scale_manually", label: "Scale by hand…", title: `Scale ${fleet.name}`, given, now: room(fleet), foresee: ofScaling(fleet, rules), tone: "primary" },
        ]}
      />
    </div>
  );
}

function Figures({ fleet }: { fleet: FleetDetail }) {
  const bounds = fleet.min_size === null ? "" : `bounds ${count(fleet.min_size)}–${count(fleet.max_size)}`;
  const next = fleet.planned === null ? "no plan yet" : fleet.next_at === null ? "no change ahead" : `at ${clock(fleet.next_at)}, ${away(fleet.next_at)}`;
  const sure = fleet.quantile ?? fleet.target_quantile;
  return (
    <dl class="figures">
      <Figure title="In service" value={count(serving(fleet))} tone={isShort(fleet) ? "warn" : ""} more={fleet.desired === null ? "" : `of ${count(fleet.desired)}, ${bounds}`} />
      <Figure title="Floor now" value={count(fleet.planned)} more={`policy ${fleet.policy_min}–${fleet.policy_max}`} />
      <Figure title="Next step" value={count(fleet.next_capacity)} more={next} />
      <Figure title="Load now" value={load(fleet.demand)} more={`p${+(sure * 100).toFixed(1)} ${fleet.unit}`} />
      <Figure title="One instance serves" value={load(fleet.target_per_instance * fleet.units)} more={`up in ${spell(fleet.lead_time_seconds)}`} />
      {fleet.cost_per_hour !== null && (
        <Figure title="Per hour" value={money(fleet.cost_per_hour)} more={`${money(fleet.price_per_hour)} each`} />
      )}
      {fleet.cost_month !== null && (
        <Figure title="This month" value={money(fleet.cost_month)} more={`${money(fleet.cost_today)} today`} />
      )}
      <Figure title="Changes in a day" value={`▲ ${count(fleet.ups)} ▼ ${count(fleet.downs)}`} />
      {fleet.wape !== null && (
        <Figure title="Forecasts off by" value={percent(fleet.wape, 1)} more={`p90 held ${percent(fleet.coverage)}`} />
      )}
    </dl>
  );
}

interface PictureProps {
  fleet: FleetDetail;
  base: string;
  plan: Plan | null;
  events: EventPage | null;
  theme: string;
}

function PictureCard({ fleet, base, plan, events, theme }: PictureProps) {
  const [days, setDays] = useState(1);
  const since = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - days * 86_400_000).toISOString();
  const history = useLive<History>(`${base}/history?since=${since}`, 30_000);
  const forecast = useLive<Forecast>(`${base}/forecast`, 30_000);
  const capacity = useLive<Capacity>(`${base}/capacity?since=${since}`, 30_000);
  const nothing = history.problem?.status === 404 && forecast.problem?.status === 404;
  return (
    <section class="card">
      <div class="cardhead">
        <h2>{fleet.unit}</h2>
        <div class="chips" role="group" aria-label="Past shown">
          {PASTS.map((past) => (
            <button key={past.days} type="button" class="chip" aria-pressed={past.days === days} onClick={() => setDays(past.days)}>
              {past.name}
            </button>
          ))}
        </div>
      </div>
      {nothing ? (
        <Notice title="Nothing measured yet">pull_metrics brings the history, and a forecast follows it.</Notice>
      ) : history.data === null && history.problem === null ? (
        <div class="picture">
          <Loading rows={8} />
        </div>
      ) : (
        <Picture fleet={fleet} history={history.data} forecast={forecast.data} capacity={capacity.data} plan={plan} events={events?.items ?? []} theme={theme} />
      )}
      {forecast.data && (
        <p class="quiet">
          Forecast {forecast.data.forecast_id} by {forecast.data.engine}: {forecast.data.reason}.
        </p>
      )}
      {forecast.problem?.status === 404 && !nothing && <p class="quiet">{forecast.problem.detail}</p>}
    </section>
  );
}
