/** What a button is about to do, in one sentence, from what the form says and what was last seen. The DAG decides. */

import { serving } from "./fleet_list";
import type { EventDetail, FleetDetail, Override } from "./views";
import { away, count, money } from "./wording";

export interface Effect {
  text: string;
  /** It would be refused, as far as the page can tell. */
  refused?: boolean;
}

export type Conf = Record<string, unknown>;
export type Foresee = (conf: Conf) => Effect | null;

/** What is known of a fleet before its size is changed by hand. */
export function room(fleet: FleetDetail): string {
  if (fleet.desired === null || fleet.seen_at === null) return `Its file allows ${span(fleet.policy_min, fleet.policy_max)} instances.`;
  const group = fleet.max_size === null ? "" : `, its group ${span(fleet.min_size ?? 0, fleet.max_size)}`;
  const now = `${count(serving(fleet))} in service when last looked at, ${away(fleet.seen_at)}; ${count(fleet.desired)} desired`;
  return `${now}. Its file allows ${span(fleet.policy_min, fleet.policy_max)}${group}.`;
}

/** Of scale_manually: the file and the group bound what is set and added, the group's minimum what is removed, an override all. */
export function ofScaling(fleet: FleetDetail, rules?: Override): Foresee {
  return ({ change, amount, hours, dry_run: dry }) => {
    const before = fleet.desired;
    if (before === null || typeof amount !== "number" || !Number.isInteger(amount)) return null;
    const most = Math.min(fleet.policy_max, fleet.max_size ?? fleet.policy_max);
    const least = change === "remove" ? (fleet.min_size ?? 0) : Math.max(fleet.policy_min, fleet.min_size ?? 0);
    if (change === "set" && (amount < least || amount > most)) return refused(`${count(amount)} is outside ${span(least, most)}`);
    if (change === "add" && before >= most) return refused(`${count(before)} is as much as is allowed`);
    if (change === "remove" && before <= least) return refused(`${count(before)} is the group's minimum`);
    const asked = { set: amount, add: before + amount, remove: before - amount }[String(change)] ?? before;
    const after = change === "add" ? Math.min(asked, most) : Math.max(asked, least);
    const kept = Math.min(bound(rules, after), fleet.policy_max);
    if (kept !== after) return refused(`${rules?.kind.replaceAll("_", " ")} by ${rules?.actor} would bring ${count(after)} to ${count(kept)} again, resume the fleet first`);
    const told = moved(fleet, before, after, after === asked ? "" : ` (not ${count(asked)}: the bound is ${count(after)})`);
    if (dry === true) return { text: `Only told in the log: ${told}.` };
    return { text: typeof hours === "number" ? `${told}, and is kept there for ${count(hours)} h.` : `${told}. Plan and load may move it again at once.` };
  };
}

/** Bring a size within an override; under a stop none is written. */
function bound(rules: Override | undefined, size: number): number {
  if (rules === undefined || rules.kind === "stop") return size;
  return Math.max(rules.min_size ?? 0, Math.min(size, rules.max_size ?? size));
}

function moved(fleet: FleetDetail, before: number, after: number, held: string): string {
  if (before === after) return `${fleet.name} stays at ${count(before)}`;
  return `${fleet.name} goes from ${count(before)} to ${count(after)} instances${held}${price(fleet, after - before)}`;
}

const TAKEN: Record<string, string[]> = { hold: ["size"], bounds: ["least", "most"] };

/** Of pause_fleet. */
export function ofPause(fleet: FleetDetail, rules?: Override): Foresee {
  return ({ kind, size, least, most, hours }) => {
    const outside = [size, least, most].find((each) => typeof each === "number" && (each < fleet.policy_min || each > fleet.policy_max));
    if (outside !== undefined) return refused(`${String(outside)} is outside ${span(fleet.policy_min, fleet.policy_max)} of its file`);
    const idle = Object.entries({ size, least, most }).find(([name, each]) => typeof each === "number" && !TAKEN[String(kind)]?.includes(name));
    if (idle) return refused(`${String(kind).replaceAll("_", " ")} takes no ${idle[0]}`);
    if (kind === "hold" && typeof size !== "number") return refused("hold asks for a size");
    if (kind === "bounds" && typeof least !== "number" && typeof most !== "number") return refused("bounds ask for a least or a most");
    const until = typeof hours === "number" ? `for ${count(hours)} h, then its plan rules again by itself` : "until somebody resumes it";
    if (rules?.kind === "stop") return { text: `Nothing is written while everything is stopped. If the stop is lifted before, ${fleet.name} ${stays(fleet, { kind, size, least, most })}, ${until}.` };
    return { text: `${fleet.name} ${stays(fleet, { kind, size, least, most })}, ${until}.` };
  };
}

function stays(fleet: FleetDetail, { kind, size, least, most }: Conf): string {
  const now = fleet.desired === null ? "what it has" : count(fleet.desired);
  switch (kind) {
    case "freeze":
      return `stays at ${now}, whatever the plan says`;
    case "no_scale_in":
      return `keeps at least ${now}`;
    case "no_scale_out":
      return `keeps at most ${now}`;
    case "hold":
      return `is held at ${String(size)}`;
    default:
      return `keeps ${[typeof least === "number" ? `at least ${least}` : "", typeof most === "number" ? `at most ${most}` : ""].filter(Boolean).join(" and ")}`;
  }
}

/** Of roll_back: what the event's own change was, the other way round. */
export function ofRollback({ before, after, operation }: EventDetail): Foresee {
  return ({ dry_run: dry }) => {
    const sizes = ["min", "max", "desired"].filter((name) => after?.[name] !== undefined && before?.[name] !== undefined);
    const told = sizes.map((name) => `${name} ${String(after?.[name])} → ${String(before?.[name])}`).join(", ");
    const rest = `everything that operation ${operation?.kind ?? ""} changed is put back${told ? `: ${told}` : ""}`;
    return { text: dry === true ? `Only told in the log: ${rest}.` : `${upper(rest)}, unless somebody changed the group since.` };
  };
}

/** Of kill_switch. */
export function ofStop(fleets: number): Foresee {
  const told = `Nothing more is written for any of the ${count(fleets)} fleets. What was scheduled is taken back and floors return to min; instances that run go on.`;
  return () => ({ text: told });
}

export function ofLift(): Foresee {
  return () => ({ text: "Every fleet's plan is written again, at once." });
}

function refused(why: string): Effect {
  return { text: `${upper(why)}: it will be refused.`, refused: true };
}

function price(fleet: FleetDetail, more: number): string {
  if (!fleet.price_per_hour) return "";
  return `, ${money((Math.abs(more) * fleet.price_per_hour) / fleet.units)} an hour ${more > 0 ? "more" : "less"}`;
}

function span(least: number, most: number): string {
  return `${count(least)}–${count(most)}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
