/** The ledger: what was done, by whom, and why. */

import { useEffect, useState } from "preact/hooks";
import { address } from "./airflow";
import { begun, continued, refreshed, type Told } from "./event_pages";
import { EventTable } from "./event_table";
import { get, useLive } from "./live";
import { Shown } from "./notice";
import { go, to } from "./route";
import type { EventPage, FleetPage } from "./views";

const KINDS = [
  "intent", "applied", "failed", "unknown", "observed", "held", "refused",
  "moved", "learned", "overridden", "returned", "budgeted", "asked", "answered", "expired", "created", "deleted",
];
const FIELDS = ["fleet", "kind", "actor", "since", "until"] as const;

export function EventsView({ asked }: { asked: URLSearchParams }) {
  const query = new URLSearchParams(FIELDS.flatMap((name) => (asked.get(name) ? [[name, asked.get(name)!]] : []))).toString();
  const live = useLive<EventPage>(`events?${query}`);
  return (
    <>
      <Filter asked={asked} query={query} />
      <section class="card">
        <Shown live={live} rows={10}>
          {(page) => <Pages key={query} first={page} query={query} />}
        </Shown>
      </section>
    </>
  );
}

function Filter({ asked, query }: { asked: URLSearchParams; query: string }) {
  const fleets = useLive<FleetPage>("fleets?limit=5000", 60_000);
  const set = (name: string, value: string) => {
    const next = Object.fromEntries(FIELDS.map((field) => [field, asked.get(field) ?? ""]));
    go(to("events", "", { ...next, [name]: value }));
  };
  // Not controlled: a refresh must not take away what is being typed.
  const text = (name: "fleet" | "actor", title: string) => (
    <label>
      {title}
      <input key={asked.get(name)} list={name} defaultValue={asked.get(name) ?? ""} onChange={(event) => set(name, event.currentTarget.value.trim())} />
    </label>
  );
  const time = (name: "since" | "until", title: string) => (
    <label>
      {title} (UTC)
      <input key={asked.get(name)} type="datetime-local" defaultValue={asked.get(name) ?? ""} onChange={(event) => set(name, event.currentTarget.value)} />
    </label>
  );
  return (
    <form class="toolbar filter" onSubmit={(event) => event.preventDefault()}>
      {text("fleet", "Fleet")}
      <label>
        What
        <select value={asked.get("kind") ?? ""} onChange={(event) => set("kind", event.currentTarget.value)}>
          <option value="">anything</option>
          {KINDS.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </label>
      {text("actor", "By")}
      {time("since", "Since")}
      {time("until", "Before")}
      {query && <a class="button" href={to("events")}>Clear</a>}
      <a class="button" href={address(`scaling/api/v1/events.csv?${query}`)} download>
        CSV
      </a>
      <datalist id="fleet">{fleets.data?.items.map((fleet) => <option key={fleet.name} value={fleet.name} />)}</datalist>
    </form>
  );
}

/** The first page stays fresh; older ones were fetched once, and never change. */
function Pages({ first, query }: { first: EventPage; query: string }) {
  const [told, tell] = useState<Told>(() => begun(first));
  const [problem, setProblem] = useState("");
  useEffect(() => tell((before) => refreshed(before, first)), [first]);
  const { rows, next } = told;
  const more = async () => {
    try {
      const page = await get<EventPage>(`events?${query}&limit=100&before=${next}`);
      tell((before) => (before.next === next ? continued(before, page) : before));
      setProblem("");
    } catch (error) {
      setProblem(String(error));
    }
  };
  return (
    <>
      <EventTable rows={rows} />
      {problem && <p class="warning">{problem}</p>}
      {next !== null && (
        <button type="button" class="link" onClick={() => void more()}>
          Older events
        </button>
      )}
    </>
  );
}
