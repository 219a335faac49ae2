/** Where in the page a person is: kept after the # of the address, so that it can be sent to a colleague. */

import { useEffect, useState } from "preact/hooks";

export interface Route {
  view: "fleets" | "fleet" | "events" | "event";
  name: string;
  asked: URLSearchParams;
}

const VIEWS = ["fleets", "fleet", "events", "event"] as const;

export function read(hash: string): Route {
  const [path = "", asked = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...rest] = path.split("/");
  const view = VIEWS.find((each) => each === first) ?? "fleets";
  return { view, name: decoded(rest.join("/")), asked: new URLSearchParams(asked) };
}

/** The address of a view. Whole, because Airflow's base would take a bare # elsewhere. */
export function to(view: Route["view"], name = "", asked: Record<string, string> = {}): string {
  const given = Object.entries(asked).filter(([, value]) => value !== "");
  const query = given.length ? `?${new URLSearchParams(given).toString()}` : "";
  return `${location.pathname}${location.search}#${view}${name ? `/${encodeURIComponent(name)}` : ""}${query}`;
}

/** Go to an address that `to` gave. */
export function go(address: string): void {
  location.hash = address.slice(address.indexOf("#"));
}

export function useRoute(): Route {
  const [route, set] = useState(() => read(location.hash));
  useEffect(() => {
    const moved = () => set(read(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return route;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
