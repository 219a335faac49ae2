/** One event, and the chain it belongs to: forecast, plan, request, observed result. */

import type { ComponentChildren } from "preact";
import { Acts } from "./acts";
import { address } from "./airflow";
import { Badge, toneOf } from "./badge";
import { ofRollback } from "./effects";
import { useLive } from "./live";
import { Shown } from "./notice";
import { to } from "./route";
import type { Act } from "./run_form";
import type { Actions, EventDetail, EventRow, Question } from "./views";
import { clock, fleetName, load, NONE, stamp } from "./wording";

export function EventView({ id }: { id: string }) {
  const live = useLive<EventDetail>(`events/${encodeURIComponent(id)}`);
  return <Shown live={live}>{(event) => <Event event={event} />}</Shown>;
}

function Event({ event }: { event: EventDetail }) {
  return (
    <>
      <Head event={event} />
      {event.error && <pre class="error">{event.error}</pre>}
      <section class="card">
        <h2>Chain</h2>
        <ol class="chain">
          {event.forecast_id && <ForecastLink event={event} />}
          {event.plan_id && (
            <Link title="Plan" tone="calm">
              <a href={to("fleet", event.fleet)}>{event.plan_id}</a>
            </Link>
          )}
          {event.approvals.map((each) => (
            <ApprovalLink key={each.id} question={each} />
          ))}
          {event.chain.map((each) => (
            <EventLink key={each.id} event={each} here={each.id === event.id} />
          ))}
          {event.operation && !event.operation.closed_at && (
            <Link title="open" tone="warn">
              Its outcome is not known yet; the fleet is held until it is.
            </Link>
          )}
        </ol>
      </section>
      {(event.before || event.after) && <ActionsCard before={event.before ?? {}} after={event.after ?? {}} />}
      <Facts event={event} />
    </>
  );
}

function Head({ event }: { event: EventDetail }) {
  const given = { event_id: event.id };
  const back: Act = { dagId: "roll_back", label: "Roll back…", title: `Roll back event ${event.id} of ${event.fleet}`, given, foresee: ofRollback(event), tone: "primary" };
  return (
    <div class="head">
      <div>
        <a class="quiet" href={to("events")}>
          ← Events
        </a>
        <h2>
          {fleetName(event.fleet)} <Badge word={event.kind} />
        </h2>
        <p>{event.reason}</p>
        <p class="quiet">{`event ${event.id}, ${stamp(event.at)}, by ${event.actor}`}</p>
      </div>
      <div class="actions">
        {event.log_path && (
          <a class="button" href={address(event.log_path)}>
            {event.try_number === null ? "Runs" : "Task log"}
          </a>
        )}
        {event.operation?.closed_at && <Acts acts={[back]} />}
      </div>
    </div>
  );
}

function Link({ title, tone, here = false, children }: { title: string; tone: string; here?: boolean; children: ComponentChildren }) {
  return (
    <li class={`${tone} ${here ? "here" : ""}`} aria-current={here ? "true" : undefined}>
      <strong>{title}</strong>
      <div>{children}</div>
    </li>
  );
}

function ForecastLink({ event }: { event: EventDetail }) {
  const found = event.forecast;
  return (
    <Link title="Forecast" tone="calm">
      {event.forecast_id}
      <small>
        {found
          ? `${found.engine}: ${found.reason}; p90 peaks at ${load(found.peak)}, ${clock(found.peak_at)}`
          : "no longer stored; forecasts are kept for two weeks"}
      </small>
    </Link>
  );
}

function ApprovalLink({ question }: { question: Question }) {
  const who = question.expired ? "nobody answered in time" : `by ${question.answered_by}`;
  return (
    <Link title="Approval" tone={toneOf(question.answer ?? "")}>
      <a href={address(question.task_path)}>{question.subject}</a>
      <small>{`${question.answer} ${clock(question.answered_at)}, ${who}; holds until ${clock(question.holds_until)}`}</small>
    </Link>
  );
}

function EventLink({ event, here }: { event: EventRow; here: boolean }) {
  const facts = [stamp(event.at), event.call, event.aws_request_id && `AWS request ${event.aws_request_id}`];
  return (
    <Link title={event.kind} tone={toneOf(event.kind)} here={here}>
      {here ? event.reason : <a href={to("event", String(event.id))}>{event.reason}</a>}
      <small>{facts.filter(Boolean).join(" · ")}</small>
      {event.error && !here && <small class="bad">{event.error}</small>}
    </Link>
  );
}

function ActionsCard({ before, after }: { before: Actions; after: Actions }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return (
    <section class="card">
      <h2>What was written</h2>
      <table class="written">
        <thead>
          <tr>
            <th>Name</th>
            <th>Before</th>
            <th>After</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <td class="mono">{name}</td>
              <td>{shown(before[name])}</td>
              <td>{shown(after[name])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return NONE;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(shown).join("; ") || NONE;
  return Object.entries(value)
    .map(([name, part]) => `${name} ${name === "start" ? clock(String(part)) : shown(part)}`)
    .join(", ");
}

function Facts({ event }: { event: EventDetail }) {
  const facts: [string, string | null][] = [
    ["Operation", event.operation && `${event.operation.kind} ${event.operation.id}`],
    ["Outcome", event.operation?.outcome ?? null],
    ["AWS request", event.aws_request_id],
    ["Task", event.dag_id && `${event.dag_id}.${event.task_id}${event.try_number === null ? "" : ` try ${event.try_number}`}`],
    ["Run", event.run_id],
  ];
  const known = facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
  if (known.length === 0) return null;
  return (
    <dl class="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
