/** What the picture draws: everything on one axis of time, as the chart wants it. Pure. */

import type { EventRow, FleetDetail, Forecast, History, Plan, Step } from "./views";

type Values = (number | null)[];

export interface PictureData {
  /** Seconds since 1970. */
  times: number[];
  measured: Values;
  middle: Values;
  high: Values;
  floor: Values;
  now: number;
  /** Instances, as last seen. */
  desired: number | null;
  serving: number | null;
  steps: Step[];
  marks: Mark[];
}

export interface Mark {
  time: number;
  event: EventRow;
}

export interface Given {
  fleet: FleetDetail;
  history: History | null;
  forecast: Forecast | null;
  plan: Plan | null;
  events: EventRow[];
}

export function pictureData({ fleet, history, forecast, plan, events }: Given, now: number): PictureData {
  const measured = series(history?.start ?? null, history?.step_seconds ?? 0, history?.values ?? []);
  const middle = series(forecast?.start ?? null, forecast?.step_seconds ?? 0, forecast?.quantiles["p50"] ?? []);
  const high = series(forecast?.start ?? null, forecast?.step_seconds ?? 0, forecast?.quantiles["p90"] ?? []);
  const end = forecast ? seconds(forecast.start) + forecast.step_seconds * (high.size - 1) : Infinity;
  const steps = (plan?.steps ?? []).filter((step) => seconds(step.at) <= end);
  const times = [...new Set([...measured.keys(), ...high.keys(), ...steps.map((step) => seconds(step.at)), now])].sort((a, b) => a - b);
  const at = (known: Map<number, number | null>) => times.map((time) => (known.has(time) ? known.get(time)! : undefined));
  return {
    times,
    // Undefined is drawn through, null is a gap: nobody measured there.
    measured: at(measured) as Values,
    middle: at(middle) as Values,
    high: at(high) as Values,
    floor: times.map((time) => stepAt(steps, time)?.capacity ?? null).map((size) => (size === null ? null : size * fleet.target_per_instance)),
    now,
    desired: fleet.desired,
    serving: fleet.in_service,
    steps,
    marks: marks(events, times[0] ?? now),
  };
}

/** The step that holds at a time. */
export function stepAt(steps: Step[], time: number): Step | null {
  return steps.findLast((step) => seconds(step.at) <= time) ?? null;
}

export function seconds(instant: string): number {
  return Date.parse(instant) / 1000;
}

/** What was done, without what was only meant to be done. */
function marks(events: EventRow[], since: number): Mark[] {
  return events
    .filter((event) => event.kind !== "intent")
    .map((event) => ({ time: seconds(event.at), event }))
    .filter((mark) => mark.time >= since);
}

function series(start: string | null, step: number, values: Values): Map<number, number | null> {
  if (start === null) return new Map();
  const first = seconds(start);
  return new Map(values.map((value, index) => [first + index * step, value]));
}
