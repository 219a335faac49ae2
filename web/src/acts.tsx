/** What a person may do here: each button opens the form of a DAG, and is drawn only for who may trigger it. */

import { useState } from "preact/hooks";
import { useLive } from "./live";
import { RunForm, type Act } from "./run_form";
import type { Person } from "./views";

export function Acts({ acts }: { acts: Act[] }) {
  const me = useLive<Person>("me", 60_000);
  const [open, setOpen] = useState<Act | null>(null);
  const allowed = acts.filter((act) => me.data?.may_trigger.includes(act.dagId));
  // An open form knows what is newest, and stays when its button is gone.
  const opened = open && (acts.find((act) => act.label === open.label) ?? open);
  return (
    <div class="acts">
      {allowed.map((act) => (
        <button key={act.dagId} type="button" class={act.tone ?? ""} onClick={() => setOpen(act)}>
          {act.label}
        </button>
      ))}
      {opened && <RunForm key={opened.label} act={opened} close={() => setOpen(null)} />}
    </div>
  );
}
