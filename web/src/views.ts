/** What the API tells, as `/scaling/api/v1/openapi.json` describes it. */

export type State = "problem" | "stale" | "no file" | "unseen" | "suspended" | "paused" | "held" | "waiting" | "approve" | "observe" | "auto";

export interface FleetRow {
  name: string;
  group: string;
  state: State;
  state_reason: string;
  mode: string;
  stage: string | null;
  seen_at: string | null;
  desired: number | null;
  in_service: number | null;
  min_size: number | null;
  max_size: number | null;
  planned: number | null;
  next_at: string | null;
  next_capacity: number | null;
  next_reason: string | null;
  unit: string;
  demand: number | null;
  quantile: number | null;
  peak_at: string | null;
  peak_demand: number | null;
  wape: number | null;
  coverage: number | null;
  /** Of an instance: `in_service` counts instances, all other sizes units. */
  units: number;
  price_per_hour: number;
  cost_per_hour: number | null;
  cost_today: number | null;
  cost_month: number | null;
  waits_until: string | null;
  concerns: string[];
}

export interface FleetPage {
  items: FleetRow[];
  total: number;
  problems: string[];
  cost_today: number | null;
  cost_month: number | null;
}

export interface FleetDetail extends FleetRow {
  timezone: string;
  engine: string;
  policy_min: number;
  policy_max: number;
  target_per_instance: number;
  target_quantile: number;
  lead_time_seconds: number;
  step_seconds: number;
  notes: string[];
  conflicts: string[];
  forecast_id: string | null;
  plan_id: string | null;
  held_by: { operation_id: string; kind: string; opened_at: string | null; by: string } | null;
  ups: number;
  downs: number;
}

export interface Instance {
  id: string;
  condition: "unhealthy" | "draining" | "booting" | "standby" | "in service";
  lifecycle: string;
  zone: string;
  type: string;
  units: number;
  protected: boolean;
}

export interface Inventory {
  seen_at: string;
  items: Instance[];
}

export interface BudgetSum {
  span: "hourly" | "daily" | "monthly";
  when: string;
  cap: number;
  spent: number;
  committed: number;
  asked: number;
  granted: number;
  total: number;
  chance: string | null;
}

export interface Budget {
  name: string;
  fleets: string[];
  at_cap: string;
  outcome: "within" | "clamped" | "ask" | "shed" | "alert" | null;
  reason: string;
  judged_at: string | null;
  event_id: number | null;
  sums: BudgetSum[];
}

export interface BudgetPage {
  items: Budget[];
}

export interface History {
  start: string;
  step_seconds: number;
  unit: string;
  values: (number | null)[];
}

/** What one turn saw of the group, and the floor that held then. */
export interface SizeSeen {
  at: string;
  desired: number;
  in_service: number;
  planned: number;
}

export interface Capacity {
  items: SizeSeen[];
}

export interface Forecast {
  forecast_id: string;
  start: string;
  step_seconds: number;
  unit: string;
  engine: string;
  reason: string;
  quantiles: Record<string, number[]>;
}

export interface Step {
  at: string;
  capacity: number;
  reason: string;
  demand: number | null;
  quantile: number | null;
  unbounded: number | null;
  bound: string;
  price_per_hour: number | null;
  rejected: string;
}

export interface Change {
  start: string;
  end: string | null;
  before: number;
  after: number;
  reason: string;
}

export interface Plan {
  plan_id: string;
  steps: Step[];
  previous_plan_id: string | null;
  changes: Change[];
}

export interface Score {
  forecast: string;
  at: string | null;
  wape: number;
  bias: number;
  coverage: number;
}

export interface Accuracy {
  items: Score[];
  wape: number | null;
  bias: number | null;
  coverage: number | null;
}

export interface EventRow {
  id: number;
  at: string;
  fleet: string;
  kind: string;
  reason: string;
  error: string | null;
  actor: string;
  call: string | null;
  operation_id: string | null;
  forecast_id: string | null;
  plan_id: string | null;
  aws_request_id: string | null;
  dag_id: string | null;
  run_id: string | null;
  task_id: string | null;
  try_number: number | null;
  log_path: string | null;
}

export interface EventPage {
  items: EventRow[];
  next_before: number | null;
}

export type Actions = Record<string, Record<string, unknown>>;

export interface EventDetail extends EventRow {
  before: Actions | null;
  after: Actions | null;
  operation: {
    id: string;
    kind: string;
    by: string;
    opened_at: string | null;
    closed_at: string | null;
    outcome: string | null;
  } | null;
  chain: EventRow[];
  forecast: { forecast_id: string; start: string; engine: string; reason: string; peak: number; peak_at: string } | null;
  approvals: Question[];
}

export interface Override {
  id: string;
  fleet: string;
  group: string | null;
  kind: string;
  holds: boolean;
  min_size: number | null;
  max_size: number | null;
  reason: string;
  actor: string;
  starts_at: string;
  ends_at: string | null;
  ended_at: string | null;
}

export interface OverridePage {
  items: Override[];
  total: number;
}

export interface Gate {
  stage: string;
  since: string;
  reason: string;
  failures: number;
  actor: string;
  reviewed_at: string | null;
  evidence: Evidence | null;
  boot_seconds: number | null;
  launches: number;
}

export interface Evidence {
  wape?: number;
  flat?: number;
  extra_cost?: number;
  floor?: { under_time_share: number };
  reactive?: { under_time_share: number };
}

export interface Outcome {
  policy: string;
  mode: string;
  under_time_share: number;
  over_hours_share: number | null;
  instance_hours: number;
  actions_per_day: number;
  cost: number | null;
  monthly_cost: number | null;
  best: boolean;
}

export interface WhatIf {
  fleet: string;
  at: string;
  since: string;
  until: string;
  boot_seconds: number;
  max_extra_cost: number;
  variations: Record<string, Record<string, unknown>>;
  outcomes: Outcome[];
}

export interface WhatIfPage {
  items: WhatIf[];
}

export interface Question {
  id: string;
  fleet: string;
  matter: string;
  subject: string;
  reasons: string[];
  size: number;
  dollars_a_day: number | null;
  dollars_held: number | null;
  hours: { at: string; held: number; asked: number }[];
  by: string[];
  asked_at: string;
  due_at: string;
  safe: string;
  answer: string | null;
  expired: boolean;
  answered_by: string | null;
  answered_at: string | null;
  holds_until: string | null;
  task_path: string;
  answer_path: string;
}

export interface QuestionPage {
  items: Question[];
  more: boolean;
}

export interface Person {
  name: string;
  id: string;
  may_trigger: string[];
  may_answer: boolean;
}
