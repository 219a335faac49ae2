/** What a person may do here: each button opens the form of a DAG, and is drawn only for who may trigger it. */

import { useState } from "preact/hooks";
import { useLive } from "./live";
import { RunForm } from "./run_form";
import type { Person } from "./views";

export interface Act {
  dagId: string;
  label: string;
  title: string;
  given: Record<string, unknown>;
  first?: boolean;
}

export function Acts({ acts }: { acts: Act[] }) {
  const me = useLive<Person>("me", 60_000);
  const [open, setOpen] = useState<Act | null>(null);
  const allowed = acts.filter((act) => me.data?.may_trigger.includes(act.dagId));
  return (
    <div class="acts">
      {allowed.map((act) => (
        <button key={act.dagId} type="button" class={act.first ? "primary" : ""} onClick={() => setOpen(act)}>
          {act.label}
        </button>
      ))}
      {open && <RunForm key={open.dagId} dagId={open.dagId} title={open.title} given={open.given} close={() => setOpen(null)} />}
    </div>
  );
}
