/** A fleet's instances, those first that need a look. */

import { useState } from "preact/hooks";
import { Badge } from "./badge";
import { useLive } from "./live";
import { Notice, Shown } from "./notice";
import type { Instance, Inventory } from "./views";
import { away, count } from "./wording";

const FEW = 12;

export function InventoryCard({ base }: { base: string }) {
  const live = useLive<Inventory>(`${base}/inventory`, 30_000);
  return (
    <section class="card">
      <Shown live={live} missing={<Unseen />}>
        {(found) => <Instances found={found} />}
      </Shown>
    </section>
  );
}

function Unseen() {
  return (
    <>
      <h2>Instances</h2>
      <Notice title="No instances seen yet">The next run of apply_plans looks at the group.</Notice>
    </>
  );
}

function Instances({ found }: { found: Inventory }) {
  const [all, showAll] = useState(false);
  const rows = all ? found.items : found.items.slice(0, FEW);
  return (
    <>
      <div class="cardhead">
        <h2>Instances</h2>
        <span class="quiet">{`${summary(found.items)}, seen ${away(found.seen_at)}`}</span>
      </div>
      {found.items.length > 0 && (
        <table class="instances">
          <thead>
            <tr>
              <th>Instance</th>
              <th>State</th>
              <th>Zone</th>
              <th>Type</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each) => (
              <tr key={each.id}>
                <td data-title="Instance">
                  {each.id} {each.protected && <small title="protected from scale-in">protected</small>}
                </td>
                <td data-title="State">
                  <Badge word={each.condition} /> {each.condition !== "in service" && <small>{each.lifecycle}</small>}
                </td>
                <td data-title="Zone">{each.zone}</td>
                <td data-title="Type">
                  {each.type} {each.units > 1 && <small>{`${each.units} units`}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {found.items.length > rows.length && (
        <button type="button" class="chip" onClick={() => showAll(true)}>{`Show all ${count(found.items.length)}`}</button>
      )}
    </>
  );
}

/** "9 in service, 1 draining", in the order of the list. */
function summary(items: Instance[]): string {
  if (items.length === 0) return "none";
  const counts = new Map<string, number>();
  for (const each of items) counts.set(each.condition, (counts.get(each.condition) ?? 0) + 1);
  return [...counts].map(([condition, number]) => `${count(number)} ${condition}`).join(", ");
}
