/** All fleets: what each is doing, what comes next, and what it costs. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Acts } from "./acts";
import { Badge } from "./badge";
import { Budgets } from "./budgets";
import { chosen, counted, isShort, serving, STATES, total, type Choice, type SortField } from "./fleet_list";
import { ofLift, ofStop } from "./effects";
import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import { go, to } from "./route";
import type { Act } from "./run_form";
import type { FleetPage, FleetRow, Override, OverridePage, State } from "./views";
import { away, clock, count, load, money, NONE, percent } from "./wording";

const MORE = 50;
const COLUMNS: { field: SortField; title: string; number: boolean; hint: string }[] = [
  { field: "name", title: "Fleet", number: false, hint: "and its Auto Scaling group" },
  { field: "state", title: "State", number: false, hint: "worst first" },
  { field: "in_service", title: "In service", number: true, hint: "instances in service, of those desired" },
  { field: "planned", title: "Floor", number: true, hint: "the fewest instances the plan wants now" },
  { field: "next_at", title: "Next step", number: false, hint: "the next change of the floor" },
  { field: "demand", title: "Load now", number: true, hint: "expected, at the quantile the plan serves" },
  { field: "wape", title: "Off by", number: true, hint: "mean error of the last forecasts, as a share of the load" },
  { field: "cost_per_hour", title: "Per hour", number: true, hint: "what the instances in service cost" },
];

export function FleetsView() {
  const live = useLive<FleetPage>("fleets?limit=5000");
  return <Shown live={live}>{(page) => <Fleets page={page} />}</Shown>;
}

function Fleets({ page }: { page: FleetPage }) {
  const stop = useLive<OverridePage>("overrides?fleet=*").data?.items.find((each) => each.kind === "stop" && each.holds);
  const [choice, choose] = useState<Choice>({ text: "", state: null, field: "state", descending: false });
  const rows = useMemo(() => chosen(page.items, choice), [page, choice]);
  const change = (part: Partial<Choice>) => choose({ ...choice, ...part });
  return (
    <>
      <div class="head">
        <Summary page={page} />
        <Acts acts={[stop ? LIFT : stopping(page.total)]} />
      </div>
      {stop && <Stopped stop={stop} />}
      {page.problems.length > 0 && <BrokenFiles problems={page.problems} />}
      <Budgets />
      <Toolbar page={page} choice={choice} change={change} />
      {page.items.length === 0 ? <NoFleets /> : rows.length === 0 ? <NoMatch /> : <Table rows={rows} choice={choice} change={change} stopped={stop !== undefined} />}
    </>
  );
}

const LIFT: Act = { dagId: "kill_switch", label: "Lift the stop…", title: "Lift the stop of every fleet", given: { action: "lift" }, foresee: ofLift(), tone: "primary" };

function stopping(fleets: number): Act {
  return { dagId: "kill_switch", label: "Kill switch…", title: "Stop every fleet", given: { action: "stop" }, foresee: ofStop(fleets), tone: "danger" };
}

function Stopped({ stop }: { stop: Override }) {
  return (
    <p class="warning stopped" role="alert">
      <strong>Everything is stopped</strong> {`since ${clock(stop.starts_at)}, ${away(stop.starts_at)}, by ${stop.actor}: ${stop.reason}`}
    </p>
  );
}

function Summary({ page }: { page: FleetPage }) {
  const counts = counted(page.items);
  const troubled = (["problem", "stale", "no file"] as State[]).reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  const spent = total(page.items, "cost_per_hour");
  return (
    <dl class="figures">
      <Figure title="Fleets" value={count(page.total)} />
      <Figure title="Acting" value={count(counts.get("auto") ?? 0)} />
      <Figure title="Need a look" value={count(troubled + page.problems.length)} tone={troubled + page.problems.length ? "bad" : "good"} />
      <Figure title="In service" value={count(total(page.items, "in_service"))} />
      {spent !== null && <Figure title="Per hour" value={money(spent)} />}
      {page.cost_month !== null && <Figure title="This month" value={money(page.cost_month)} more={`${money(page.cost_today)} today`} />}
    </dl>
  );
}

export function Figure({ title, value, tone = "", more }: { title: string; value: string; tone?: string; more?: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd class={tone}>
        {value} {more && <small>{more}</small>}
      </dd>
    </div>
  );
}

function BrokenFiles({ problems }: { problems: string[] }) {
  return (
    <div class="warning" role="alert">
      <strong>{problems.length === 1 ? "A fleet file cannot be used" : `${problems.length} fleet files cannot be used`}</strong>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </div>
  );
}

function Toolbar({ page, choice, change }: { page: FleetPage; choice: Choice; change: (part: Partial<Choice>) => void }) {
  const counts = counted(page.items);
  const field = useRef<HTMLInputElement>(null);
  // Before it is painted: the key works as soon as anyone can see what it is for.
  useLayoutEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const typing = event.composedPath()[0] instanceof HTMLInputElement;
      if (event.key !== "/" || typing) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <div class="toolbar">
      <input
        ref={field}
        type="search"
        placeholder="Filter fleets  ( / )"
        aria-label="Filter fleets"
        value={choice.text}
        onInput={(event) => change({ text: event.currentTarget.value })}
      />
      <div class="chips" role="group" aria-label="State">
        <Chip name={`All ${page.items.length}`} on={choice.state === null} press={() => change({ state: null })} />
        {STATES.filter((state) => counts.has(state)).map((state) => (
          <Chip key={state} name={`${state} ${counts.get(state)}`} on={choice.state === state} press={() => change({ state })} />
        ))}
      </div>
      <Order choice={choice} change={change} />
    </div>
  );
}

/** Where there is no room for a table there is no head to press. */
function Order({ choice, change }: { choice: Choice; change: (part: Partial<Choice>) => void }) {
  const way = choice.descending ? "descending" : "ascending";
  return (
    <div class="order">
      <label>
        Sort by{" "}
        <select value={choice.field} onChange={(event) => change({ field: event.currentTarget.value as SortField, descending: false })}>
          {COLUMNS.map((column) => (
            <option key={column.field} value={column.field}>
              {column.title}
            </option>
          ))}
        </select>
      </label>
      <button type="button" aria-label={`Turn the order round, ${way} now`} onClick={() => change({ descending: !choice.descending })}>
        {choice.descending ? "▼" : "▲"}
      </button>
    </div>
  );
}

function Chip({ name, on, press }: { name: string; on: boolean; press: () => void }) {
  return (
    <button type="button" class="chip" aria-pressed={on} onClick={press}>
      {name}
    </button>
  );
}

interface TableProps {
  rows: FleetRow[];
  choice: Choice;
  change: (part: Partial<Choice>) => void;
  stopped: boolean;
}

function Table({ rows, choice, change, stopped }: TableProps) {
  const [shown, show] = useState(MORE);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => show(MORE), [choice]);
  useEffect(() => {
    if (!end.current) return;
    const watch = new IntersectionObserver((seen) => {
      if (seen.some((each) => each.isIntersecting)) show((before) => before + MORE);
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [shown, rows.length]);
  return (
    <>
      <table class="fleets">
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th key={column.field} class={column.number ? "number" : ""} aria-sort={sorted(choice, column.field)}>
                <button type="button" title={column.hint} onClick={() => change(pressed(choice, column.field))}>
                  {column.title}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row) => (
            <Row key={row.name} row={row} stopped={stopped} />
          ))}
        </tbody>
      </table>
      {shown < rows.length && <div ref={end} class="quiet more">{`${count(rows.length - shown)} more`}</div>}
    </>
  );
}

function Row({ row, stopped }: { row: FleetRow; stopped: boolean }) {
  const short = isShort(row);
  const here = to("fleet", row.name);
  return (
    <tr onClick={() => go(here)}>
      <td>
        <a class="name" href={here} onClick={(event) => event.stopPropagation()}>
          {row.name}
        </a>
        {row.group !== row.name && <small>{row.group}</small>}
      </td>
      <td>
        <Badge word={row.state} />
        {trusted(row) !== row.state && <small>{trusted(row)}</small>}
        {row.concerns.map((word) => (
          <small key={word}>
            <Badge word={word} />
          </small>
        ))}
      </td>
      <td class="number" data-title="In service">
        <span class={short ? "warn" : ""} title={short ? "fewer than the plan's floor, which is raised within minutes" : ""}>
          {count(serving(row))}
        </span>
        {row.desired !== null && <small class="aside"> of {count(row.desired)}</small>}
      </td>
      <td class="number" data-title="Floor">{count(row.planned)}</td>
      <td class="next" data-title="Next step">
        {stopped ? <span class="quiet">none while everything is stopped</span> : row.next_at === null ? <span class="quiet">{row.planned === null ? "no plan yet" : "no change ahead"}</span> : <Next row={row} at={row.next_at} />}
        <Why row={row} />
      </td>
      <td class="number" data-title="Load now">
        {load(row.demand)}
        {row.quantile !== null && <small class="unit">{`p${+(row.quantile * 100).toFixed(1)} ${row.unit}`}</small>}
      </td>
      <td class="number" data-title="Off by">
        {percent(row.wape, 1)}
        {row.coverage !== null && <small>p90 held {percent(row.coverage)}</small>}
      </td>
      <td class="number" data-title="Per hour">
        {money(row.cost_per_hour)}
        {row.cost_month !== null && (
          <>
            <small>{`${money(row.cost_today)} today`}</small> <small>{`${money(row.cost_month)} this month`}</small>
          </>
        )}
      </td>
    </tr>
  );
}

/** How far it is trusted; a file that says observe goes before that, and a new fleet has nothing else. */
function trusted({ stage, mode }: FleetRow): string {
  return mode === "observe" ? mode : (stage ?? mode);
}

function Next({ row, at }: { row: FleetRow; at: string }) {
  const up = (row.next_capacity ?? 0) >= (row.planned ?? 0);
  return (
    <>
      <span class={up ? "up" : "down"} aria-hidden="true">{up ? "▲" : "▼"}</span> {row.next_capacity ?? NONE} at {clock(at)},{" "}
      <span class="quiet">{away(at)}</span>
    </>
  );
}

/** What is wrong matters more than why the next step is as it is. */
function Why({ row }: { row: FleetRow }) {
  const troubled = ["problem", "stale", "no file", "unseen", "paused", "held", "waiting"].includes(row.state);
  if (troubled) return <small class={`clamp troubled ${row.state === "problem" ? "bad" : ""}`}>{row.state_reason}</small>;
  return row.next_reason ? <small class="clamp">{row.next_reason}</small> : null;
}

function sorted(choice: Choice, field: SortField): "ascending" | "descending" | "none" {
  if (choice.field !== field) return "none";
  return choice.descending ? "descending" : "ascending";
}

function pressed(choice: Choice, field: SortField): Partial<Choice> {
  return { field, descending: choice.field === field ? !choice.descending : false };
}

function NoFleets() {
  return (
    <Notice title="No fleet yet">
      A fleet is a YAML file in the folder that <code>[predictive_scaling] fleets_folder</code> names. It appears here as soon as it
      is there, and is looked at within the hour.
    </Notice>
  );
}

function NoMatch() {
  return <Notice title="No fleet matches">Change the words or the state above.</Notice>;
}
