/** States and kinds of events, each with its word and its colour. */

const TONES: Record<string, string> = {
  problem: "bad",
  failed: "bad",
  refused: "bad",
  unknown: "bad",
  stale: "warn",
  "no file": "warn",
  suspended: "warn",
  held: "warn",
  waiting: "warn",
  asked: "warn",
  expired: "warn",
  rejected: "calm",
  answered: "calm",
  approved: "good",
  paused: "warn",
  overridden: "warn",
  budgeted: "calm",
  clamped: "warn",
  shed: "warn",
  ask: "warn",
  alert: "bad",
  within: "good",
  unhealthy: "bad",
  draining: "warn",
  booting: "calm",
  standby: "calm",
  conflict: "warn",
  "launches fail": "bad",
  "forecast drifts": "warn",
  "override ends": "calm",
  budget: "calm",
  "in service": "good",
  auto: "good",
  best: "good",
  applied: "good",
  returned: "good",
  observe: "calm",
  approve: "calm",
  moved: "calm",
  learned: "calm",
  created: "calm",
  deleted: "calm",
  queued: "calm",
  running: "calm",
  success: "good",
};

export function toneOf(word: string): string {
  return TONES[word] ?? "plain";
}

export function Badge({ word }: { word: string }) {
  return <span class={`badge ${toneOf(word)}`}>{word}</span>;
}
