/** Events as rows: when, which fleet, what, why, by whom. */

import { address } from "./airflow";
import { Badge } from "./badge";
import { Notice } from "./notice";
import { go, to } from "./route";
import type { EventRow } from "./views";
import { away, EVERY_FLEET, fleetName, stamp } from "./wording";

export function EventTable({ rows, fleetShown = true }: { rows: EventRow[]; fleetShown?: boolean }) {
  if (rows.length === 0) return <Notice title="No event">Nothing that matches has been recorded.</Notice>;
  return (
    <table class="events">
      <thead>
        <tr>
          <th>When</th>
          {fleetShown && <th>Fleet</th>}
          <th>What</th>
          <th>Why</th>
          <th>By</th>
          <th>Log</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} fleetShown={fleetShown} />
        ))}
      </tbody>
    </table>
  );
}

/** A fleet, by the way to it; what is for all of them leads to none. */
function FleetLink({ fleet }: { fleet: string }) {
  if (fleet === EVERY_FLEET) return <span class="name">{fleetName(fleet)}</span>;
  return (
    <a class="name" href={to("fleet", fleet)}>
      {fleet}
    </a>
  );
}

function Row({ row, fleetShown }: { row: EventRow; fleetShown: boolean }) {
  const here = to("event", String(row.id));
  return (
    <tr onClick={(event) => !(event.target instanceof HTMLAnchorElement) && go(here)}>
      <td class="nowrap when">
        <a href={here}>{stamp(row.at)}</a>
        <small>{away(row.at)}</small>
      </td>
      {fleetShown && (
        <td>
          <FleetLink fleet={row.fleet} />
        </td>
      )}
      <td>
        <Badge word={row.kind} />
        {row.call && <small>{row.call}</small>}
      </td>
      <td class="wide">
        <span class="clamp">{row.reason}</span>
        {row.error && <small class="bad clamp">{row.error}</small>}
      </td>
      <td class="who">
        {row.actor}
        {row.dag_id && <small>{row.dag_id}</small>}
      </td>
      <td>{row.log_path && <a href={address(row.log_path)}>log</a>}</td>
    </tr>
  );
}
