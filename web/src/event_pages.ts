/** Events told page after page while new ones come in: none is left out between two pages. Pure. */

import type { EventPage, EventRow } from "./views";

export interface Told {
  rows: EventRow[];
  /** Older ones are before this id; null at the end. */
  next: number | null;
  /** Whether a person asked for older ones: what leaves the first page then stays. */
  longer: boolean;
}

export function begun(first: EventPage): Told {
  return { rows: first.items, next: first.next_before, longer: false };
}

export function continued(told: Told, page: EventPage): Told {
  return { rows: [...told.rows, ...page.items], next: page.next_before, longer: true };
}

/** With a newer first page; where so much came that it no longer touches what is told, begin anew. */
export function refreshed(told: Told, first: EventPage): Told {
  const last = first.items.at(-1)?.id ?? 0;
  const touches = (told.rows[0]?.id ?? 0) >= last;
  if (!told.longer || !touches) return begun(first);
  return { ...told, rows: [...first.items, ...told.rows.filter((row) => row.id < last)] };
}
