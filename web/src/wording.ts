/** Numbers and times as a person reads them. */

import { chosenZone } from "./airflow";

export const NONE = "–";

/** What the ledger calls all fleets together, as a stop is for them. */
export const EVERY_FLEET = "*";

export function fleetName(fleet: string): string {
  return fleet === EVERY_FLEET ? "every fleet" : fleet;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : new Intl.NumberFormat("en").format(value);
}

/** A load: three figures are as much as anybody needs. */
export function load(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? NONE : `${(share * 100).toFixed(digits)} %`;
}

export function money(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const digits = value >= 100 ? 0 : 2;
  return `$${new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)}`;
}

/** "Sat 10:05", in the zone chosen in Airflow. */
export function clock(instant: string | number | null): string {
  return instant === null ? NONE : formatted(instant, { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

/** "21 Nov 10:05:12", for a log. */
export function stamp(instant: string | number): string {
  return formatted(instant, { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** "in 42 min", "3 h ago". */
export function away(instant: string | number | null, now = Date.now()): string {
  if (instant === null) return "";
  const seconds = Math.round((new Date(instant).getTime() - now) / 1000);
  const size = spell(Math.abs(seconds));
  return seconds >= 0 ? `in ${size}` : `${size} ago`;
}

export function spell(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function zoneName(): string {
  const parts = new Intl.DateTimeFormat("en", { timeZone: chosenZone(), timeZoneName: "short" }).formatToParts();
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "UTC";
}

function formatted(instant: string | number, shape: Intl.DateTimeFormatOptions): string {
  const format = new Intl.DateTimeFormat("en-GB", { ...shape, timeZone: chosenZone(), hourCycle: "h23" });
  return format.format(new Date(instant)).replaceAll(",", "");
}
