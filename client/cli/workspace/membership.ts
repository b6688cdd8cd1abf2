import { workspacePath } from '../../../domain/workspace/desired-snapshot.ts';
import type { AnyJson } from '../../../domain/workspace/any-json.ts';
import type { FlowOptions } from '../flows/run-flow.ts';

/** Options of `longhaul workspace add` and `longhaul workspace remove`. */
export interface MembershipOptions extends FlowOptions {
  readonly root: string;
  /** Only say what would be done. @default false */
  readonly dryRun?: boolean;
}

/** What became of one repository. Keys are those of `mix graft.remove --json`. */
export interface MembershipOutcome {
  readonly name: string;
  readonly path: string;
  readonly status: 'planned' | 'error' | 'added' | 'present' | 'removed';
  readonly message: string;
  readonly delete: boolean;
  readonly dirty: boolean;
  readonly failures: readonly { readonly kind: string; readonly message: string; readonly details: AnyJson }[];
}

/** The JSON of a command that adds or removes repositories. */
export function membershipJson(
  operation: 'add' | 'remove',
  root: string,
  outcomes: readonly MembershipOutcome[],
  flags: { readonly dryRun: boolean; readonly applied: boolean; readonly delete: boolean; readonly force: boolean },
): object {
  return {
    operation,
    root,
    dry_run: flags.dryRun,
    delete: flags.delete,
    force: flags.force,
    applied: flags.applied,
    passed: outcomes.every(({ status }) => status !== 'error'),
    outcomes: outcomes.map((outcome) => ({ ...outcome, absolute_path: workspacePath(root, outcome.path) })),
  };
}

/** The same as lines for people. */
export function membershipLines(outcomes: readonly MembershipOutcome[]): readonly string[] {
  return outcomes.flatMap(({ name, status, message, failures }) => [
    `${name} [${status}] ${status === 'error' ? '' : message}`.trimEnd(),
    ...failures.map((failure) => `  - ${failure.message}`),
  ]);
}
