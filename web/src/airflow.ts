/** The Airflow around the page: where it lives, its time zone, its theme, and its own API. */

/** Address of something of Airflow's, whatever base a proxy gave it. */
export function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** The time zone chosen in Airflow's menu. */
export function chosenZone(): string {
  const kept = (localStorage.getItem("timezone") ?? "").replaceAll('"', "");
  if (kept === "local") return Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: kept || "UTC" }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

/** Call back whenever Airflow's theme changes; gives the way to stop. */
export function onThemeChange(changed: () => void): () => void {
  const watch = new MutationObserver(changed);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme", "style"] });
  return () => watch.disconnect();
}

export interface ParamSchema {
  type?: string | string[];
  title?: string;
  enum?: unknown[];
  values_display?: Record<string, string>;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  items?: { enum?: unknown[] };
}

export interface Param {
  value: unknown;
  description?: string | null;
  schema: ParamSchema;
}

/** The form of a DAG, as its author declared it. */
export async function paramsOf(dagId: string): Promise<Record<string, Param>> {
  const answer = await fetch(address(`api/v2/dags/${encodeURIComponent(dagId)}/details`));
  if (!answer.ok) throw new Error(await told(answer));
  return ((await answer.json()) as { params: Record<string, Param> | null }).params ?? {};
}

export interface Run {
  /** Below Airflow's API. */
  path: string;
  /** Where a person looks at it. */
  address: string;
  state: string;
}

/** Trigger a run with the person's own rights. */
export async function trigger(dagId: string, conf: Record<string, unknown>): Promise<Run> {
  const dag = encodeURIComponent(dagId);
  const answer = await fetch(address(`api/v2/dags/${dag}/dagRuns`), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ logical_date: null, conf }),
  });
  if (!answer.ok) throw new Error(await told(answer));
  const run = (await answer.json()) as { dag_run_id: string; state: string };
  const id = encodeURIComponent(run.dag_run_id);
  return { path: `api/v2/dags/${dag}/dagRuns/${id}`, address: address(`dags/${dag}/runs/${id}`), state: run.state };
}

/** How a run is now. */
export async function stateOf(run: Run): Promise<string> {
  const answer = await fetch(address(run.path));
  if (!answer.ok) throw new Error(await told(answer));
  return ((await answer.json()) as { state: string }).state;
}

export function ended(state: string): boolean {
  return state === "success" || state === "failed";
}

export type Choice = "Approve" | "Reject";

/** Answer what a task asks, with the person's own rights. */
export async function answer(path: string, choice: Choice): Promise<void> {
  const response = await fetch(address(path), {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ chosen_options: [choice], params_input: {} }),
  });
  if (!response.ok) throw new Error(await told(response));
}

async function told(answer: Response): Promise<string> {
  const body = (await answer.json().catch(() => null)) as { detail?: unknown } | null;
  const detail = body?.detail ?? answer.statusText;
  return `${answer.status}: ${typeof detail === "string" ? detail : JSON.stringify(detail)}`;
}
