/** Log level of an event. */
export type EventLevel = 'info' | 'warn' | 'error';

/**
 * The events of flows and their activities, by the field `event`, each with its level and message (docs/events.md). A
 * worker derives its metrics from the same events, so that log and metrics always agree.
 */
export const EVENTS = {
  sync_group_start: 'info',
  sync_group_done: 'info',
  sync_group_failed: 'error',
  sync_repo_success: 'info',
  sync_repo_failed: 'error',
  verify_group_start: 'info',
  verify_group_done: 'info',
  verify_group_failed: 'error',
  verify_repo_success: 'info',
  verify_repo_failed: 'error',
  remove_group_start: 'info',
  remove_group_done: 'info',
  remove_group_failed: 'error',
  remove_repo_success: 'info',
  remove_repo_failed: 'error',
  index_differs: 'warn',
  repo_moved: 'info',
  repo_busy: 'info',
  deliveries_lost: 'error',
  budget_wait: 'warn',
  sync_groups_applied: 'info',
  gate_opened: 'info',
  gate_reminder: 'warn',
  gate_escalated: 'warn',
  gate_decided: 'info',
  gate_claim_refused: 'warn',
  mirror_evicted: 'info',
  contents_evicted: 'info',
  cache_limit_failed: 'warn',
  rollback_incomplete: 'error',
  promoted: 'info',
  deployment_started: 'info',
  deployment_done: 'info',
} as const satisfies Record<string, EventLevel>;

/** The events of workers and gateways about themselves and their requests, in addition to {@link EVENTS}. */
export const PROCESS_EVENTS = {
  worker_ready: 'info',
  worker_stopped: 'info',
  worker_failed: 'fatal',
  metrics_ready: 'info',
  model_progress: 'info',
  model_differs: 'warn',
  build_outdated: 'warn',
  file_without_syntax: 'warn',
  traces_lost: 'warn',
  gateway_ready: 'info',
  gateway_stopped: 'info',
  webhook_accepted: 'info',
  request_refused: 'warn',
  request_failed: 'error',
  refusal_not_recorded: 'error',
  flow_started: 'info',
  signal_sent: 'info',
  update_sent: 'info',
  decision_recorded: 'info',
  person_signed_in: 'info',
} as const satisfies Record<string, EventLevel | 'fatal'>;

/** The name of an event of {@link PROCESS_EVENTS}. */
export type ProcessEventName = keyof typeof PROCESS_EVENTS;

/** The name of an event of {@link EVENTS}. */
export type EventName = keyof typeof EVENTS;

/** What a flow over many repositories does with each: the first word of its events. An onboarding counts as a sync. */
export type Verb = 'sync' | 'verify' | 'remove';

/** A run over many repositories starts and knows how many of them need work. */
export interface GroupStart {
  readonly group: string;
  readonly repo_count: number;
  /** True for a sync group; otherwise `group` is what was requested, such as patterns. */
  readonly named: boolean;
}

/** A run over many repositories completed. */
export interface GroupDone extends Pick<GroupStart, 'group' | 'named'> {
  /** Number of repositories in the group. */
  readonly repositories: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Nothing to do. */
  readonly skipped: number;
  readonly files_changed: number;
  readonly duration_ms: number;
  /** Consecutive failed runs of the repository with the longest failure streak; 0 when none failed. */
  readonly failing_runs: number;
  /** Since when the index is known to match git for all repositories of the group. ISO 8601. */
  readonly true_since: string;
}

/** A run over many repositories ended before it had processed all of them. */
export interface GroupFailed extends Pick<GroupStart, 'group' | 'named'> {
  /** One of {@link FAILURES}. */
  readonly type: string;
  readonly error: string;
}

/** The index of a repository matches its HEAD. */
export interface RepositorySuccess {
  readonly repo: string;
  readonly files_changed: number;
  readonly duration_ms: number;
  /** The sync group of the run. */
  readonly group?: string;
}

/** A repository could not be processed; its old receipt stays. */
export interface RepositoryFailed extends Pick<RepositorySuccess, 'repo' | 'group'> {
  readonly type: string;
  readonly error: string;
}

/** An activity waits until the server accepts requests again. */
export interface BudgetWait extends Pick<RepositorySuccess, 'group'> {
  /** The waiting activity, and the id of its flow. */
  readonly activity: string;
  readonly workflow: string;
  /** ISO 8601. */
  readonly until: string;
  readonly reason: string;
}

/** A generation was promoted. */
export interface GenerationPromoted {
  readonly repo: string;
  /** `v1.5.0` */
  readonly version: string;
  readonly kind: string;
  /** Full oid. */
  readonly commit: string;
  readonly by: string;
}

/** The fields of each event; events named after their subject exist for every {@link Verb}. */
export type EventFields<Name extends EventName> = Name extends `${Verb}_group_start`
  ? GroupStart
  : Name extends `${Verb}_group_done`
    ? GroupDone
    : Name extends `${Verb}_group_failed`
      ? GroupFailed
      : Name extends `${Verb}_repo_failed`
        ? RepositoryFailed
        : Name extends 'sync_repo_success'
          ? RepositorySuccess
          : Name extends 'budget_wait'
            ? BudgetWait
            : Name extends 'promoted'
              ? GenerationPromoted
              : Readonly<Record<string, unknown>>;

/** True when `name` is one of {@link EVENTS}. */
export function isEventName(name: unknown): name is EventName {
  return typeof name === 'string' && Object.hasOwn(EVENTS, name);
}
