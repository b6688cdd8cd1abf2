import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkPreconditions, type CheckedPrecondition } from '../../../activities/workspace/check-preconditions.ts';
import { cloneBytesOf } from '../../../activities/workspace/clone-bytes.ts';
import type { ReadWorkspaceOptions } from '../../../activities/workspace/read-workspace.ts';
import { identifyPlan, identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { describeWorkspacePlan } from '../../../domain/workspace/describe-plan.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import type { SnapshotContent, WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';

/** A plan that is wanted. */
export interface WantedPlan {
  readonly current: WorkspaceSnapshot;
  readonly wanted: SnapshotContent;
  /** Variables for the programs of `setup`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Where a plan goes. */
export interface PlanOutput {
  /** The file that gets the plan. @default none */
  readonly output?: string;
  /** Print the plan as JSON. @default false */
  readonly json?: boolean;
}

/**
 * Plans, compares what must hold with the disk, prints the plan, and writes its file. Returns the exit code: 9 when
 * something does not hold. Changes nothing but the file.
 */
export async function writePlan(
  { stdout, stderr }: CliContext,
  { current, wanted, environment }: WantedPlan,
  { output, json }: PlanOutput,
  options: ReadWorkspaceOptions,
): Promise<number> {
  const desired = identifySnapshot(wanted);
  const cloneBytes = await cloneBytesOf(desired.repos);
  const content = planWorkspace(current, desired, { environment, cloneBytes });
  const checked = await checkPreconditions(current.root, content.preconditions, options);
  const unmet = checked.filter(({ problem }) => problem !== null);
  const planned = identifyPlan(content, new Date().toISOString());
  const plan = unmet.length === 0 ? { ...planned, status: 'verified' as const } : planned;
  // with its keys in order, whatever made the objects
  const text = `${JSON.stringify(JSON.parse(canonicalText(plan)), null, 2)}\n`;
  if (output !== undefined) await writeWhole(output, text);
  if (json) stdout.write(text);
  else {
    for (const line of describeWorkspacePlan(plan)) stdout.write(`${printable(line)}\n`);
    for (const line of linesOf(checked)) stdout.write(`${printable(line)}\n`);
    if (output !== undefined) stdout.write(`Written to ${printable(output)}.\n`);
  }
  if (unmet.length === 0) return 0;
  for (const { precondition, problem } of json ? unmet : []) {
    stderr.write(`${printable(`${precondition.type} ${precondition.target}: ${problem}`)}\n`);
  }
  stderr.write(`${FAILURES.PlanPreconditionFailed.remedy}\n`);
  return FAILURES.PlanPreconditionFailed.exitCode;
}

function linesOf(checked: readonly CheckedPrecondition[]): string[] {
  if (checked.length === 0) return [];
  return [
    '',
    'What must hold:',
    ...checked.map(({ precondition: { message }, problem }) =>
      problem === null ? `  ok     ${message}` : `  FAILS  ${message} But ${problem}.`,
    ),
  ];
}

/** Throws `InvalidInput` for a file in a folder that is not there. */
export async function refuseMissingFolder(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  if ((await stat(folder).catch(() => null))?.isDirectory()) return;
  throw new LonghaulError('InvalidInput', `The plan cannot be written to ${file}: there is no folder ${folder}.`);
}
