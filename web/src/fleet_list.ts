/** Filtering and sorting the fleets, in the browser: a thousand rows are no work. */

import type { FleetRow, State } from "./views";

/** Worst first. */
export const STATES: State[] = ["problem", "stale", "no file", "unseen", "suspended", "paused", "held", "waiting", "approve", "observe", "auto"];

export type SortField = "name" | "state" | "in_service" | "planned" | "next_at" | "demand" | "wape" | "cost_per_hour";

export interface Choice {
  text: string;
  state: State | null;
  field: SortField;
  descending: boolean;
}

export function chosen(rows: FleetRow[], choice: Choice): FleetRow[] {
  const words = choice.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    const text = `${row.name} ${row.group} ${row.state} ${row.state_reason} ${row.concerns.join(" ")}`.toLowerCase();
    return (choice.state === null || row.state === choice.state) && words.every((word) => text.includes(word));
  });
  return found.sort((one, other) => compared(one, other, choice));
}

/** What is in service in the units of floor and desired, which are not instances where the group counts in weights. */
export function serving(row: FleetRow): number | null {
  return row.in_service === null ? null : row.in_service * row.units;
}

/** Fewer than the plan's floor, which AWS will raise; a fleet on trial has no floor of ours. */
export function isShort(row: FleetRow): boolean {
  const there = serving(row);
  return row.mode !== "observe" && there !== null && row.planned !== null && there < row.planned;
}

export function counted(rows: FleetRow[]): Map<State, number> {
  const counts = new Map<State, number>();
  for (const row of rows) counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
  return counts;
}

export function total(rows: FleetRow[], field: "in_service" | "cost_per_hour"): number | null {
  const known = rows.map((row) => row[field]).filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** What is unknown comes last, whichever way is sorted. */
function compared(one: FleetRow, other: FleetRow, { field, descending }: Choice): number {
  const [a, b] = [rank(one, field), rank(other, field)];
  if (a === null || b === null) return Number(a === null) - Number(b === null) || byName(one, other);
  const order = a < b ? -1 : a > b ? 1 : 0;
  return (descending ? -order : order) || byName(one, other);
}

function rank(row: FleetRow, field: SortField): number | string | null {
  if (field === "state") return STATES.indexOf(row.state);
  return field === "next_at" && row.next_at ? Date.parse(row.next_at) : row[field];
}

function byName(one: FleetRow, other: FleetRow): number {
  return one.name < other.name ? -1 : 1;
}
