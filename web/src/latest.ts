/** A fleet is looked at once an hour; what was written to it since is in the ledger, and is newer. */

import { useLive } from "./live";
import type { EventDetail, EventPage, FleetDetail } from "./views";

const SIZES = ["min", "max", "desired"] as const;
type Sizes = Partial<Record<(typeof SIZES)[number], number>>;

/** The fleet with the sizes that the newest change since its last turn left it with. */
export function useLatest(fleet: FleetDetail, events: EventPage | null): FleetDetail {
  const newest = events?.items.find((event) => event.kind === "applied" && /^(resize|retire) /.test(event.call ?? ""));
  const newer = newest && fleet.seen_at !== null && Date.parse(newest.at) > Date.parse(fleet.seen_at) ? newest : undefined;
  const change = useLive<EventDetail>(newer ? `events/${newer.id}` : null, 60_000).data;
  if (!newer || change?.id !== newer.id) return fleet;
  const sizes = { ...known(change.before), ...known(change.after) };
  return {
    ...fleet,
    desired: sizes.desired ?? fleet.desired,
    min_size: sizes.min ?? fleet.min_size,
    max_size: sizes.max ?? fleet.max_size,
  };
}

function known(state: Record<string, unknown> | null): Sizes {
  return Object.fromEntries(SIZES.flatMap((name) => (typeof state?.[name] === "number" ? [[name, state[name]]] : [])));
}
