/** What is shown in place of data: still loading, nothing there, or gone wrong. */

import type { ComponentChildren } from "preact";
import { address } from "./airflow";
import type { Live, Problem } from "./live";

export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Grey bars of the size of what will come, so that nothing jumps. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} />
      ))}
    </div>
  );
}

/** Show data once it is there; a problem beside older data is a line above it. */
export function Shown<T>(props: {
  live: Live<T>;
  rows?: number;
  missing?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}) {
  const { data, problem, at } = props.live;
  const none = problem?.status === 404 || (!problem && at !== null);
  if (data === null && none && props.missing) return <>{props.missing}</>;
  if (data === null && problem) return <Trouble problem={problem} />;
  if (data === null) return <Loading rows={props.rows ?? 6} />;
  return (
    <>
      {problem && <p class="warning" role="alert">{`Not refreshed: ${problem.detail}`}</p>}
      {props.children(data)}
    </>
  );
}

function Trouble({ problem }: { problem: Problem }) {
  if (problem.status === 401) {
    return (
      <Notice title="Your session has ended.">
        <a href={address("auth/login")}>Sign in again</a>
      </Notice>
    );
  }
  const title = { 0: "No connection", 403: "You may not see this", 404: "Not found" }[problem.status];
  return <Notice title={title ?? `Error ${problem.status}`}>{problem.detail}</Notice>;
}
