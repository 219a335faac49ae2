/** What the picture draws: everything on one axis of time, as the chart wants it. Pure. */

import { serving } from "./fleet_list";
import type { Capacity, EventRow, FleetDetail, Forecast, History, Plan, Step } from "./views";

type Values = (number | null)[];

const TRUSTED = 3 * 3600; // fleets have a turn an hour

export interface PictureData {
  /** Seconds since 1970. */
  times: number[];
  measured: Values;
  middle: Values;
  high: Values;
  floor: Values;
  /** What the instances could serve, by what the turns saw. */
  wanted: Values;
  served: Values;
  now: number;
  /** As last seen, in the units of the floor. */
  desired: number | null;
  serving: number | null;
  steps: Step[];
  sizes: Size[];
  marks: Mark[];
}

export interface Size {
  time: number;
  desired: number;
  serving: number;
  floor: number;
}

export interface Mark {
  time: number;
  event: EventRow;
}

export interface Given {
  fleet: FleetDetail;
  history: History | null;
  forecast: Forecast | null;
  capacity: Capacity | null;
  plan: Plan | null;
  events: EventRow[];
}

export function pictureData({ fleet, history, forecast, capacity, plan, events }: Given, now: number): PictureData {
  const measured = series(history?.start ?? null, history?.step_seconds ?? 0, history?.values ?? []);
  const middle = series(forecast?.start ?? null, forecast?.step_seconds ?? 0, forecast?.quantiles["p50"] ?? []);
  const high = series(forecast?.start ?? null, forecast?.step_seconds ?? 0, forecast?.quantiles["p90"] ?? []);
  const end = forecast ? seconds(forecast.start) + forecast.step_seconds * (high.size - 1) : Infinity;
  const steps = (plan?.steps ?? []).filter((step) => seconds(step.at) <= end);
  const sizes = seenSizes(capacity, fleet.units, Math.min(...measured.keys(), now), now);
  const times = [...new Set([...measured.keys(), ...high.keys(), ...steps.map((step) => seconds(step.at)), ...sizes.map((size) => size.time), now])].sort((a, b) => a - b);
  const at = (known: Map<number, number | null>) => times.map((time) => (known.has(time) ? known.get(time)! : undefined));
  const served = (size: number | undefined) => (size === undefined ? null : size * fleet.target_per_instance);
  return {
    times,
    // Undefined is drawn through, null is a gap: nobody measured there.
    measured: at(measured) as Values,
    middle: at(middle) as Values,
    high: at(high) as Values,
    floor: times.map((time) => served(stepAt(steps, time)?.capacity ?? sizeAt(sizes, time, now)?.floor)),
    wanted: times.map((time) => served(sizeAt(sizes, time, now)?.desired)),
    served: times.map((time) => served(sizeAt(sizes, time, now)?.serving)),
    now,
    desired: fleet.desired,
    serving: serving(fleet),
    steps,
    sizes,
    marks: marks(events, times[0] ?? now),
  };
}

/** The step that holds at a time. */
export function stepAt(steps: Step[], time: number): Step | null {
  return steps.findLast((step) => seconds(step.at) <= time) ?? null;
}

/** What the last turn saw, for as long as a turn may be trusted; of what is to come nothing was seen. */
export function sizeAt(sizes: Size[], time: number, now: number): Size | null {
  const last = time > now ? undefined : sizes.findLast((size) => size.time <= time);
  return last && time - last.time <= TRUSTED ? last : null;
}

function seenSizes(capacity: Capacity | null, units: number, since: number, now: number): Size[] {
  return (capacity?.items ?? [])
    .map((each) => ({ time: Math.max(seconds(each.at), since), desired: each.desired, serving: each.in_service * units, floor: each.planned }))
    .filter((size) => size.time <= now);
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
