/** Answers that stay fresh: asked again every few seconds, and told "as before" by their ETag. */

import { useEffect, useState } from "preact/hooks";
import { address } from "./airflow";

export interface Live<T> {
  data: T | null;
  /** Why the last look failed; older data may still be there. */
  problem: Problem | null;
  /** When it was last known to be right, in milliseconds since 1970. */
  at: number | null;
}

export interface Problem {
  status: number;
  detail: string;
}

interface Known {
  tag: string;
  data: unknown;
  at: number;
}

const known = new Map<string, Known>();
const EVERY = 10_000;
const CHANGED = "scaling:changed";

/** Look again at everything that is shown, because something has just been done. */
export function lookAgain(): void {
  dispatchEvent(new Event(CHANGED));
}

/** Keep looking at a path of our API; null looks at nothing. */
export function useLive<T>(path: string | null, every = EVERY): Live<T> {
  const [live, set] = useState<Live<T>>(() => remembered<T>(path));
  useEffect(() => {
    set(remembered<T>(path));
    if (path === null) return;
    let over = false;
    const look = async () => {
      if (document.hidden && known.has(path)) return;
      const found = await ask<T>(path);
      if (!over) set(found);
    };
    void look();
    const timer = setInterval(() => void look(), every);
    const again = () => void look();
    document.addEventListener("visibilitychange", again);
    addEventListener(CHANGED, again);
    return () => {
      over = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
      removeEventListener(CHANGED, again);
    };
  }, [path, every]);
  return live;
}

/** Ask once, without keeping the answer. */
export async function get<T>(path: string): Promise<T> {
  const found = await ask<T>(path);
  known.delete(path);
  if (found.data === null || found.problem) throw new Error(found.problem?.detail ?? "no answer");
  return found.data;
}

function remembered<T>(path: string | null): Live<T> {
  const before = path === null ? undefined : known.get(path);
  return { data: (before?.data as T | undefined) ?? null, problem: null, at: before?.at ?? null };
}

async function ask<T>(path: string): Promise<Live<T>> {
  const before = known.get(path);
  try {
    const headers: HeadersInit = before ? { "If-None-Match": before.tag } : {};
    const answer = await fetch(address(`scaling/api/v1/${path}`), { headers, cache: "no-store" });
    // Set anew: what is kept may have been cleared since it was asked for.
    if (answer.status === 304 && before) known.set(path, { ...before, at: Date.now() });
    else if (answer.ok) keep(path, answer.headers.get("ETag") ?? "", await answer.json());
    else return { ...remembered<T>(path), problem: await problemOf(answer) };
    return remembered<T>(path);
  } catch {
    return { ...remembered<T>(path), problem: { status: 0, detail: "Airflow's API server does not answer." } };
  }
}

function keep(path: string, tag: string, data: unknown): void {
  if (known.size > 200) known.clear();
  known.set(path, { tag, data, at: Date.now() });
}

async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => null)) as { detail?: string } | null;
  return { status: answer.status, detail: body?.detail ?? answer.statusText };
}
