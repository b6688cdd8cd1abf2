import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';

/** A JSON object of a column. */
type JsonObject = Readonly<Record<string, unknown>>;
/** A time: read as a date, written as a date or ISO 8601 text. */
type Time = ColumnType<Date, Date | string, Date | string>;
/** A column that may be null and may be left out of an insert. */
type Optional<Type> = ColumnType<Type | null, Type | null | undefined, Type | null>;
/** A time that the database sets when it is left out. */
type CreatedTime = ColumnType<Date, Date | string | undefined, Date | string>;
type OptionalTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;

interface PipelineRuns {
  pipeline_run_id: string;
  repository: string;
  pipeline: string;
  pipeline_digest: string;
  commit: string;
  tree: string;
  branch: Optional<string>;
  event: string;
  status: Generated<'pending' | 'running' | 'pass' | 'fail' | 'cancelled'>;
  workflow_id: Optional<string>;
  run_id: Optional<string>;
  created_by: string;
  created_at: CreatedTime;
  started_at: OptionalTime;
  completed_at: OptionalTime;
}

interface PipelineJobs {
  pipeline_run_id: string;
  job: string;
  attempt: Generated<number>;
  status: Generated<'pending' | 'running' | 'pass' | 'fail' | 'skipped' | 'cancelled'>;
  exit_code: Optional<number>;
  signal: Optional<string>;
  /** In seconds. */
  duration: Optional<number>;
  command_digest: Optional<string>;
  log_blob: Optional<string>;
  outputs: JSONColumnType<JsonObject, string | undefined>;
  steps: JSONColumnType<readonly JsonObject[], string | undefined>;
  resumed_from: Optional<string>;
  started_at: OptionalTime;
  completed_at: OptionalTime;
}

interface TestResults {
  pipeline_run_id: string;
  job: string;
  attempt: Generated<number>;
  position: number;
  name: string;
  status: 'pass' | 'fail' | 'skipped';
  /** In seconds. */
  duration: Optional<number>;
  message: Optional<string>;
}

interface Coverage {
  pipeline_run_id: string;
  job: string;
  path: string;
  lines: number;
  covered: number;
}

interface Findings {
  pipeline_run_id: string;
  job: string;
  position: number;
  fingerprint: string;
  rule: string;
  level: 'error' | 'warning' | 'note';
  path: Optional<string>;
  line: Optional<number>;
  message: string;
  is_waived: Generated<boolean>;
}

interface QualityResults {
  pipeline_run_id: string;
  rule: 'coverage' | 'findings' | 'tests';
  status: 'pass' | 'fail' | 'waived';
  found: string;
  waiver: ColumnType<JsonObject | null, string | null | undefined, string | null>;
}

interface Generations {
  generation_id: string;
  repository: string;
  version: string;
  description: Generated<string>;
  status: Generated<'draft' | 'promoted'>;
  pipeline_template: Optional<string>;
  contract: JSONColumnType<JsonObject>;
  contract_digest: string;
  commit: Optional<string>;
  tag: Optional<string>;
  created_at: CreatedTime;
  created_by: string;
  promoted_at: OptionalTime;
  promoted_by: Optional<string>;
  hotfix_of: Optional<string>;
  branch: Optional<string>;
  tag_object: Optional<string>;
  final_tags: JSONColumnType<JsonObject, string | undefined>;
}

interface GenerationChanges {
  generation_id: string;
  change_id: string;
  /** Place in the contract, from 0. */
  position: number;
  type: 'add' | 'fix' | 'refine' | 'remove';
  title: string;
  description: Optional<string>;
  team: Optional<string>;
  pipeline: Optional<string>;
  status: Generated<'pending' | 'proven'>;
  created_at: CreatedTime;
}

interface Evolutions {
  evolution_id: string;
  generation_id: string;
  change_id: string;
  /** Number of the release candidate, unique in the generation. */
  rc: number;
  tag: string;
  code_name: Optional<string>;
  status: Generated<'pending' | 'running' | 'pass' | 'fail' | 'abandoned'>;
  pipeline: Optional<string>;
  commit: Optional<string>;
  tree: Optional<string>;
  pipeline_run_id: Optional<string>;
  proof: ColumnType<JsonObject | null, string | null | undefined, string | null>;
  team: Optional<string>;
  created_by: string;
  created_at: CreatedTime;
  started_at: OptionalTime;
  completed_at: OptionalTime;
  superseded_by: Optional<string>;
  taken_back_by: Optional<string>;
}

interface Ledger {
  ledger_id: Generated<string>;
  created_at: CreatedTime;
  event_id: Generated<number>;
  hash: Generated<string>;
}

interface AuditEvents {
  event_id: number;
  timestamp: Time;
  event_type: string;
  repository: Optional<string>;
  resource_type: string;
  resource_id: string;
  action: string;
  status: 'success' | 'refused' | 'failure';
  actor: string;
  authenticated_by: string;
  why: Optional<string>;
  workflow_id: Optional<string>;
  run_id: Optional<string>;
  contract_digest: Optional<string>;
  details_json: JSONColumnType<JsonObject, string | undefined>;
  previous_hash: string;
  hash: string;
}

interface Gates {
  gate_id: string;
  repository: Optional<string>;
  workflow_id: string;
  kind: string;
  subject: string;
  digest: string;
  requested_by: string;
  requested_at: CreatedTime;
  deadline: OptionalTime;
  at_deadline: Optional<'approved' | 'rejected'>;
  approvals_needed: Generated<number>;
  approvers: JSONColumnType<readonly string[], string | undefined>;
  status: Generated<'open' | 'approved' | 'rejected' | 'cancelled'>;
  closed_at: OptionalTime;
  run_id: Optional<string>;
  excluded: JSONColumnType<readonly string[], string | undefined>;
  escalates_at: OptionalTime;
  escalation_approvers: JSONColumnType<readonly string[], string | undefined>;
  evidence: JSONColumnType<readonly string[], string | undefined>;
  reason: Optional<'quorum' | 'rejection' | 'deadline' | 'cancelled' | 'superseded'>;
}

interface GateDecisions {
  decision_id: string;
  gate_id: string;
  person: string;
  on_behalf_of: Optional<string>;
  verdict: 'approve' | 'reject' | 'revoke';
  why: string;
  digest: string;
  authenticated_by: string;
  decided_at: CreatedTime;
  sequence: GeneratedAlways<number>;
}

interface GateDelegations {
  delegation_id: string;
  sequence: GeneratedAlways<number>;
  person: string;
  delegate: string;
  until: Time;
  authenticated_by: string;
  created_at: CreatedTime;
}

interface FlowRequests {
  request_id: string;
  repository: Optional<string>;
  digest: string;
  person: string;
  is_person: boolean;
  authenticated_by: 'api-key' | 'oidc';
  requested_at: CreatedTime;
  root_run_id: Optional<string>;
}

interface FlowRequestRuns {
  run_id: string;
  request_id: string;
}

interface Snapshots {
  snapshot_id: string;
  repository: string;
  label: string;
  created_by: string;
  created_at: CreatedTime;
  db_size_bytes: number;
  blob: string;
}

interface Publications {
  generation_id: string;
  kind: 'asset' | 'announcement';
  name: string;
  digest: Optional<string>;
  size: ColumnType<string | null, number | null | undefined, number | null>;
  status: Generated<'pending' | 'published' | 'kept'>;
  attempts: Generated<number>;
  problem: Optional<string>;
  url: Optional<string>;
  published_at: OptionalTime;
}

interface Evidence {
  digest: string;
  kind: string;
  subject: string;
  repository: Optional<string>;
  blob: string;
  created_at: CreatedTime;
}

interface Deployments {
  deployment_id: string;
  sequence: GeneratedAlways<number>;
  repository: string;
  environment: string;
  version: string;
  commit: string;
  packed: JSONColumnType<JsonObject>;
  contracts: string;
  services: JSONColumnType<readonly string[]>;
  goes_back: boolean;
  context: string;
  namespace: string;
  status: Generated<'planned' | 'deploying' | 'deployed' | 'undone' | 'not undone' | 'refused' | 'cancelled'>;
  plan_digest: Optional<string>;
  diff_blob: Optional<string>;
  why: Optional<string>;
  workflow_id: string;
  created_by: string;
  created_at: CreatedTime;
  started_at: OptionalTime;
  ended_at: OptionalTime;
  reason: Optional<string>;
  passed_over: JSONColumnType<readonly string[], string | undefined>;
  override_freeze: Optional<string>;
  approved_by: JSONColumnType<readonly string[], string | undefined>;
  shared: ColumnType<JsonObject | null, string | null | undefined, string | null>;
  images_by_tag: JSONColumnType<readonly string[], string | undefined>;
}

interface DeploymentObjects {
  deployment_id: string;
  position: number;
  service: string;
  api_version: string;
  kind: string;
  context: string;
  namespace: string;
  name: string;
  change: 'create' | 'update' | 'delete' | 'none';
  sealed: ColumnType<Buffer | null, Uint8Array | null | undefined, Uint8Array | null>;
  state: Generated<'planned' | 'applied' | 'undone' | 'left'>;
  kept: JSONColumnType<readonly JsonObject[], string | undefined>;
}

interface DeploymentSamples {
  deployment_id: string;
  sequence: number;
  watch: Generated<string>;
  taken_at: CreatedTime;
  sample: JSONColumnType<JsonObject>;
  verdict: 'good' | 'bad' | 'no data';
  why: string;
}

interface DeploymentFences {
  repository: string;
  environment: string;
  service: string;
  latest_attempt: Time;
}

interface MetricsSamples {
  time: Time;
  name: string;
  labels: JSONColumnType<JsonObject, string | undefined>;
  value: number;
}

interface SchemaMigrations {
  version: number;
  name: string;
  applied_at: CreatedTime;
  checksum: string;
}

/** The tables of the ledger (`activities/ledger/migrations/`, docs/ledger.md). */
export interface LedgerTables {
  pipeline_runs: PipelineRuns;
  pipeline_jobs: PipelineJobs;
  test_results: TestResults;
  coverage: Coverage;
  findings: Findings;
  quality_results: QualityResults;
  generations: Generations;
  generation_changes: GenerationChanges;
  evolutions: Evolutions;
  ledger: Ledger;
  audit_events: AuditEvents;
  gates: Gates;
  gate_decisions: GateDecisions;
  gate_delegations: GateDelegations;
  flow_requests: FlowRequests;
  flow_request_runs: FlowRequestRuns;
  snapshots: Snapshots;
  evidence: Evidence;
  publications: Publications;
  deployments: Deployments;
  deployment_objects: DeploymentObjects;
  deployment_samples: DeploymentSamples;
  deployment_fences: DeploymentFences;
  metrics_samples: MetricsSamples;
  schema_migrations: SchemaMigrations;
}

/** The schema with these tables. */
export const LEDGER_SCHEMA = 'longhaul';

/** What the writer's login may do with each table. The reader's login may only read them. */
export const WRITER_RIGHTS: { readonly [Table in keyof LedgerTables]: string } = {
  pipeline_runs: 'SELECT, INSERT, UPDATE',
  pipeline_jobs: 'SELECT, INSERT, UPDATE',
  test_results: 'SELECT, INSERT',
  coverage: 'SELECT, INSERT',
  findings: 'SELECT, INSERT',
  quality_results: 'SELECT, INSERT',
  generations: 'SELECT, INSERT, UPDATE',
  // a draft may lose a change that no evolution refers to
  generation_changes: 'SELECT, INSERT, UPDATE, DELETE',
  evolutions: 'SELECT, INSERT, UPDATE',
  ledger: 'SELECT, UPDATE (event_id, hash)',
  audit_events: 'SELECT, INSERT',
  gates: 'SELECT, INSERT, UPDATE',
  // decisions are those of people whom the gateway authenticated: see GATES_RIGHTS
  gate_decisions: 'SELECT',
  gate_delegations: 'SELECT',
  // as decisions: the gateway adds them, and a worker only says which run it is
  flow_requests: 'SELECT, UPDATE (root_run_id)',
  flow_request_runs: 'SELECT, INSERT',
  snapshots: 'SELECT, INSERT',
  evidence: 'SELECT, INSERT',
  // those of a withdrawn promotion are replaced
  publications: 'SELECT, INSERT, UPDATE, DELETE',
  deployments: 'SELECT, INSERT, UPDATE',
  // a plan that was made again replaces the one before
  deployment_objects: 'SELECT, INSERT, UPDATE, DELETE',
  deployment_samples: 'SELECT, INSERT',
  deployment_fences: 'SELECT, INSERT, UPDATE',
  metrics_samples: 'SELECT, INSERT',
  schema_migrations: 'SELECT',
};

/** What the login of the gateway may do with each table: record decisions and requests of people, with audit events. */
export const GATES_RIGHTS: Partial<typeof WRITER_RIGHTS> = {
  ledger: 'SELECT, UPDATE (event_id, hash)',
  audit_events: 'SELECT, INSERT',
  gates: 'SELECT',
  gate_decisions: 'SELECT, INSERT',
  gate_delegations: 'SELECT, INSERT',
  flow_requests: 'SELECT, INSERT',
  schema_migrations: 'SELECT',
};
