import type { ValidationCommand, ValidationPlan, ValidationStep } from './validation-plan.ts';

/** How a repository or a command ended. `skipped` never counts as passed. */
export type ValidationStatus = 'passed' | 'failed' | 'skipped';

/** Why a command failed, for programs. */
export type FailureCategory = 'deps_unresolvable' | 'compile_error' | 'test_failure' | 'command_not_found' | 'unknown';

/** How a command ended. Keys are those of Graft. */
export interface CommandOutcome extends Pick<ValidationCommand, 'kind' | 'argv' | 'description'> {
  readonly status: ValidationStatus;
  /** Null when it did not run, or a signal ended it. */
  readonly exit_status: number | null;
  readonly duration_ms: number;
  /** The last lines of its output. */
  readonly output_tail: string;
  readonly failure_category: FailureCategory | null;
}

/** How a repository ended. */
export interface RepoOutcome extends Pick<ValidationStep, 'repo' | 'repo_path'> {
  readonly status: ValidationStatus;
  readonly duration_ms: number;
  readonly commands: readonly CommandOutcome[];
}

/** How a validation ended: Graft's event `run_result`, without the name of the event. */
export interface ValidationResult {
  /** True when every command of every repository has run and exited with 0, now or at the same content before. */
  readonly passed: boolean;
  readonly first_failure: object | null;
  readonly passed_count: number;
  readonly failed_count: number;
  readonly skipped_count: number;
  readonly affected_repos: readonly string[];
  readonly target_apps: readonly string[];
  readonly workspace_root: string;
  readonly duration_ms: number;
  readonly log_path: null;
  readonly outcomes: readonly RepoOutcome[];
}

const CATEGORIES: Readonly<Record<string, FailureCategory>> = {
  deps_get: 'deps_unresolvable',
  compile: 'compile_error',
  test: 'test_failure',
};

/** The category of a command that failed. */
export function categoryOf(kind: string, wasFound: boolean): FailureCategory {
  return wasFound ? (CATEGORIES[kind] ?? 'unknown') : 'command_not_found';
}

/** The result of a plan whose repositories have ended. */
export function validationResult(
  { workspace_root, target_apps, affected_repos, steps }: ValidationPlan,
  outcomes: readonly RepoOutcome[],
  durationMs: number,
): ValidationResult {
  const count = (wanted: ValidationStatus): number => outcomes.filter(({ status }) => status === wanted).length;
  const first = outcomes.find(({ status }) => status === 'failed');
  return {
    passed: outcomes.length === steps.length && outcomes.every(({ status }) => status === 'passed'),
    first_failure: first === undefined ? null : failureIn(first),
    passed_count: count('passed'),
    failed_count: count('failed'),
    skipped_count: count('skipped'),
    affected_repos,
    target_apps,
    workspace_root,
    duration_ms: durationMs,
    log_path: null,
    outcomes,
  };
}

/** The first failure in topological order: where to look first. */
function failureIn({ repo, repo_path, commands }: RepoOutcome): object | null {
  const failed = commands.find(({ status }) => status === 'failed');
  if (failed === undefined) return null;
  const { kind, failure_category, description, exit_status, output_tail } = failed;
  return {
    repo,
    command_kind: kind,
    failure_category,
    summary: `${description} in ${repo} ${exit_status === null ? 'did not run to its end' : `exited with ${exit_status}`}`,
    log_excerpt: output_tail,
    pointer: { repo_path, command: description, log_path: null },
  };
}

/** The event at the end of a validation. */
export function endEvent(result: ValidationResult): object {
  return { event: 'run_result', ...result };
}

/** The event, which Graft does not have, for repositories that were changed while they were checked: nothing is recorded of them. */
export function changedEvent(repos: readonly string[]): object {
  return { event: 'repos_changed', repos };
}

/** The events of the commands of a repository. */
export function commandEvents({ repo, commands }: RepoOutcome): object[] {
  return commands.map(({ description: _description, ...outcome }) => ({ event: 'command', repo, ...outcome }));
}

/** What is kept of a validation: Graft's `.graft/validate.result.json`, version 1. */
export function keptResult(
  { outcomes, ...result }: ValidationResult,
  fingerprint: Readonly<Record<string, string>>,
  generatedAt: string,
): object {
  const first = result.first_failure as { readonly [key: string]: unknown } | null;
  return {
    ...result,
    version: 1,
    generated_at: generatedAt,
    first_failure:
      first === null
        ? null
        : {
            repo: first['repo'],
            command_kind: first['command_kind'],
            failure_category: first['failure_category'],
            summary: first['summary'],
          },
    repo_statuses: Object.fromEntries(outcomes.map(({ repo, status }) => [repo, status])),
    fingerprint,
  };
}
