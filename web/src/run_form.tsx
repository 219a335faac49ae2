/** The form of a manual DAG, drawn from what the DAG declares, and its run: one path for the page and for Airflow's own form. */

import { useEffect, useRef, useState } from "preact/hooks";
import { paramsOf, trigger, type Param } from "./airflow";
import { Loading } from "./notice";

interface Props {
  dagId: string;
  title: string;
  /** What the page knows already; a parameter of that name is filled in and shown, not asked. */
  given: Record<string, unknown>;
  close: () => void;
}

type State =
  | { is: "loading" }
  | { is: "asking"; params: Record<string, Param>; problem: string; sending: boolean }
  | { is: "started"; run: string }
  | { is: "broken"; problem: string };

export function RunForm({ dagId, title, given, close }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const [state, set] = useState<State>({ is: "loading" });
  useEffect(() => {
    box.current?.showModal();
    paramsOf(dagId).then(
      (params) => set({ is: "asking", params, problem: "", sending: false }),
      (error: Error) => set({ is: "broken", problem: error.message }),
    );
  }, [dagId]);
  const send = async (event: SubmitEvent, params: Record<string, Param>) => {
    event.preventDefault();
    const conf = read(new FormData(event.currentTarget as HTMLFormElement), params, given);
    set({ is: "asking", params, problem: "", sending: true });
    try {
      set({ is: "started", run: await trigger(dagId, conf) });
    } catch (error) {
      set({ is: "asking", params, problem: (error as Error).message, sending: false });
    }
  };
  return (
    <dialog ref={box} onClose={close} aria-label={title}>
      <h2>{title}</h2>
      {state.is === "loading" && <Loading rows={3} />}
      {state.is === "broken" && <p class="warning">{state.problem}</p>}
      {state.is === "started" && (
        <p>
          Started. <a href={state.run}>Follow the run</a>; what it does appears among the events.
        </p>
      )}
      {state.is === "asking" && (
        <form onSubmit={(event) => void send(event, state.params)}>
          {Object.entries(state.params).map(([name, param]) => (
            <Field key={name} name={name} param={param} fixed={given[name]} />
          ))}
          {state.problem && <p class="warning" role="alert">{state.problem}</p>}
          <div class="actions">
            <button type="submit" class="primary" disabled={state.sending}>
              {state.sending ? "Starting…" : "Start"}
            </button>
            <button type="button" onClick={() => box.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      )}
      {state.is !== "asking" && (
        <div class="actions">
          <button type="button" onClick={() => box.current?.close()}>
            Close
          </button>
        </div>
      )}
    </dialog>
  );
}

function Field({ name, param, fixed }: { name: string; param: Param; fixed: unknown }) {
  const { schema } = param;
  const title = schema.title ?? name.replaceAll("_", " ");
  const input = fixed !== undefined ? <output>{String(fixed)}</output> : <Input name={name} param={param} />;
  return (
    <div class="field">
      <label class={kindOf(param) === "boolean" ? "check" : ""}>
        <span>{title}</span>
        {input}
      </label>
      {param.description && <small>{param.description}</small>}
    </div>
  );
}

function Input({ name, param }: { name: string; param: Param }) {
  const { schema, value } = param;
  if (schema.enum) {
    return (
      <select name={name}>
        {schema.enum.map((each) => (
          <option key={String(each)} value={String(each)} selected={each === value}>
            {schema.values_display?.[String(each)] ?? String(each)}
          </option>
        ))}
      </select>
    );
  }
  const kind = kindOf(param);
  if (kind === "array") return <Several name={name} choice={schema.items?.enum ?? []} chosen={value as unknown[]} />;
  if (kind === "boolean") return <input name={name} type="checkbox" defaultChecked={value === true} />;
  const required = !mayBeEmpty(param);
  const text = value === null || value === undefined ? "" : String(value);
  if (kind === "string") return <input name={name} defaultValue={text} required={required} minLength={schema.minLength} />;
  return <input name={name} type="number" step={kind === "integer" ? 1 : "any"} min={schema.minimum} max={schema.maximum} defaultValue={text} required={required} />;
}

function Several({ name, choice, chosen }: { name: string; choice: unknown[]; chosen: unknown[] }) {
  return (
    <select name={name} multiple size={choice.length}>
      {choice.map((each) => (
        <option key={String(each)} value={String(each)} selected={chosen.includes(each)}>
          {String(each)}
        </option>
      ))}
    </select>
  );
}

/** What Airflow is told: numbers as numbers, and nothing for what was left empty. */
function read(form: FormData, params: Record<string, Param>, given: Record<string, unknown>): Record<string, unknown> {
  const conf: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(params)) conf[name] = given[name] ?? answer(form, name, param);
  return conf;
}

function answer(form: FormData, name: string, param: Param): unknown {
  const kind = kindOf(param);
  const value = form.get(name);
  if (kind === "array") return form.getAll(name);
  if (kind === "boolean") return value !== null;
  if (value === "" && mayBeEmpty(param)) return null;
  if (param.schema.enum) return param.schema.enum.find((each) => String(each) === value);
  return kind === "string" ? value : Number(value);
}

function kindOf({ schema }: Param): string {
  const types = [schema.type ?? "string"].flat();
  return types.find((type) => type !== "null") ?? "string";
}

function mayBeEmpty({ schema }: Param): boolean {
  return [schema.type ?? []].flat().includes("null");
}
