/** The plan as a table: when, how many, and why; and what is new in it. */

import { useState } from "preact/hooks";
import type { Change, Plan, Step } from "./views";
import { away, clock, money } from "./wording";

const FIRST = 8;

export function PlanCard({ plan }: { plan: Plan }) {
  const [all, setAll] = useState(false);
  const from = Math.max(0, plan.steps.findLastIndex((step) => Date.parse(step.at) <= Date.now()));
  const steps = plan.steps.slice(from, all ? undefined : from + FIRST);
  const left = plan.steps.length - from - steps.length;
  return (
    <section class="card">
      <div class="cardhead">
        <h2>Plan</h2>
        <span class="quiet mono">{plan.plan_id}</span>
      </div>
      <table class="plan">
        <thead>
          <tr>
            <th>From</th>
            <th class="number">Floor</th>
            {plan.steps.some((step) => step.price_per_hour) && <th class="number">Per hour</th>}
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step, index) => (
            <StepRow key={step.at} step={step} before={plan.steps[from + index - 1] ?? null} holds={index === 0} priced={plan.steps.some((each) => each.price_per_hour)} />
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          {`Show ${left} more, to ${clock(plan.steps.at(-1)?.at ?? null)}`}
        </button>
      )}
      <News plan={plan} />
    </section>
  );
}

function StepRow({ step, before, holds, priced }: { step: Step; before: Step | null; holds: boolean; priced: boolean }) {
  const change = before ? step.capacity - before.capacity : 0;
  return (
    <tr class={holds ? "holds" : ""}>
      <td>
        {holds ? "now" : clock(step.at)}
        <small>{holds ? `since ${clock(step.at)}` : away(step.at)}</small>
      </td>
      <td class="number">
        <strong>{step.capacity}</strong>
        {!holds && change !== 0 && <small class={change > 0 ? "up" : "down"}>{change > 0 ? `+${change}` : `−${-change}`}</small>}
      </td>
      {priced && <td class="number">{money(step.price_per_hour)}</td>}
      <td class="why">
        {step.reason}
        {step.bound && <small>{`bound by ${step.bound}${step.unbounded === null ? "" : `, else ${step.unbounded}`}`}</small>}
        {step.rejected && <small>{step.rejected}</small>}
      </td>
    </tr>
  );
}

function News({ plan }: { plan: Plan }) {
  const coming = plan.changes.filter((change) => change.end === null || Date.parse(change.end) > Date.now());
  if (plan.previous_plan_id === null) return null;
  return (
    <details class="news">
      <summary>{coming.length ? `${coming.length} ${coming.length === 1 ? "difference" : "differences"} from the plan before` : "Nothing new since the plan before"}</summary>
      {coming.length > 0 && (
        <ul>
          {coming.map((change) => (
            <li key={change.start}>
              <span class="when">{span(change)}</span>
              <span class={change.after > change.before ? "up" : "down"}>{`${change.before} → ${change.after}`}</span>
              <span>{change.reason}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

function span(change: Change): string {
  return change.end === null ? `from ${clock(change.start)}` : `${clock(change.start)} – ${clock(change.end)}`;
}
