/** The form of a manual DAG and its run: one path for the page and for Airflow's own form. */

import { useEffect, useRef, useState } from "preact/hooks";
import { ended, paramsOf, stateOf, trigger, type Param, type Run } from "./airflow";
import { Badge } from "./badge";
import type { Conf, Foresee } from "./effects";
import { Field, read } from "./fields";
import { lookAgain } from "./live";
import { Loading } from "./notice";

export interface Act {
  dagId: string;
  label: string;
  title: string;
  /** What the page knows already; a parameter of that name is filled in and shown, not asked. */
  given: Conf;
  /** How things are, for who has to fill in a number. */
  now?: string;
  /** What will happen, told before it does. */
  foresee?: Foresee;
  tone?: "primary" | "danger";
}

type State =
  | { is: "loading" }
  | { is: "asking"; params: Record<string, Param>; problem: string; sending: boolean }
  | { is: "started"; run: Run }
  | { is: "broken"; problem: string };

export function RunForm({ act, close }: { act: Act; close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [state, set] = useState<State>({ is: "loading" });
  useEffect(() => {
    box.current?.showModal();
    paramsOf(act.dagId).then(
      (params) => set({ is: "asking", params, problem: "", sending: false }),
      (error: Error) => set({ is: "broken", problem: error.message }),
    );
  }, [act.dagId]);
  const send = async (conf: Conf, params: Record<string, Param>) => {
    set({ is: "asking", params, problem: "", sending: true });
    try {
      set({ is: "started", run: await trigger(act.dagId, conf) });
    } catch (error) {
      set({ is: "asking", params, problem: (error as Error).message, sending: false });
    }
  };
  const shut = () => box.current?.close();
  return (
    <dialog ref={box} onClose={close} aria-label={act.title}>
      <h2>{act.title}</h2>
      {state.is === "loading" && <Loading rows={3} />}
      {state.is === "broken" && <p class="warning">{state.problem}</p>}
      {state.is === "started" && <Started run={state.run} />}
      {state.is === "asking" ? (
        <Form act={act} params={state.params} problem={state.problem} sending={state.sending} send={(conf) => void send(conf, state.params)} cancel={shut} />
      ) : (
        <Close key={state.is} shut={shut} />
      )}
    </dialog>
  );
}

/** The way out, and where the keyboard goes on once the form is gone. */
function Close({ shut }: { shut: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div class="actions">
      <button ref={button} type="button" onClick={shut}>
        Close
      </button>
    </div>
  );
}

interface FormProps {
  act: Act;
  params: Record<string, Param>;
  problem: string;
  sending: boolean;
  send: (conf: Conf) => void;
  cancel: () => void;
}

function Form({ act, params, problem, sending, send, cancel }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [conf, setConf] = useState<Conf>(act.given);
  const typed = () => read(new FormData(form.current!), params, act.given);
  useEffect(() => {
    setConf(typed());
    form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    send(typed());
  };
  const effect = act.foresee?.(conf) ?? null;
  return (
    <form ref={form} onSubmit={submit} onInput={() => setConf(typed())}>
      {act.now && <p class="quiet">{act.now}</p>}
      {Object.entries(params).map(([name, param]) => (
        <Field key={name} name={name} param={param} fixed={act.given[name]} />
      ))}
      {act.foresee && (
        <p class={effect?.refused ? "effect refused" : "effect"} role="status">
          {effect?.text ?? "What will happen is told here."}
        </p>
      )}
      {problem && <p class="warning" role="alert">{problem}</p>}
      <div class="actions">
        <button type="submit" class={act.tone === "danger" ? "danger" : "primary"} disabled={sending}>
          {sending ? "Starting…" : "Start"}
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

const LOOK_EVERY = 2_000;
const TOLD: Record<string, string> = {
  queued: "Started; Airflow's scheduler will run it.",
  running: "Started; it runs. You may close this, it goes on.",
  success: "Done.",
  failed: "It failed, and its log says why.",
};

/** The run, from its start to its end; what it did is asked for at once then. */
function Started({ run }: { run: Run }) {
  const [state, setState] = useState(run.state);
  useEffect(() => {
    if (ended(state)) return lookAgain();
    const timer = setInterval(() => void stateOf(run).then(setState, () => undefined), LOOK_EVERY);
    return () => clearInterval(timer);
  }, [state]);
  return (
    <div role="status">
      <p>
        <Badge word={state} /> {TOLD[state] ?? "Started."}
      </p>
      <p>
        <a href={run.address}>Follow the run</a>; what it does appears among the events.
      </p>
    </div>
  );
}
