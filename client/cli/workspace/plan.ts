import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createGit } from '../../../activities/git/git.ts';
import { checkPreconditions, type CheckedPrecondition } from '../../../activities/workspace/check-preconditions.ts';
import { cloneBytesOf } from '../../../activities/workspace/clone-bytes.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { identifyPlan, identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { describeWorkspacePlan } from '../../../domain/workspace/describe-plan.ts';
import { desiredSnapshot } from '../../../domain/workspace/desired-snapshot.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import { placedAt } from '../../../domain/workspace/placed-snapshot.ts';
import { readSnapshot } from '../../../domain/workspace/workspace-snapshot.schema.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { whyNotOpen } from './why-not-open.ts';

/** Options of `longhaul workspace plan`. */
export interface PlanOptions {
  readonly root: string;
  /** The file that gets the plan. @default none */
  readonly output?: string;
  /** The file with the desired snapshot. @default what the manifest says */
  readonly to?: string;
  /** Print the plan as JSON. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul workspace plan`: what has to be done, and whether it can be. Changes nothing but the file that `--output`
 * names. Exit code 9 when a precondition does not hold.
 */
export async function planCommand(context: CliContext, { root, output, to, json }: PlanOptions): Promise<number> {
  const { stdout, stderr, cacheDir, env } = context;
  if (output !== undefined) await refuseMissingFolder(output);
  const options = { git: createGit(cacheDir, env), env };
  const { snapshot: current, manifest } = await readWorkspace(root, options);
  const wanted = to === undefined ? desiredSnapshot(current, manifest) : placedAt(await readFrom(to), current);
  const desired = identifySnapshot(wanted);
  const cloneBytes = await cloneBytesOf(desired.repos);
  const content = planWorkspace(current, desired, { environment: manifest.environment, cloneBytes });
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

async function readFrom(file: string): Promise<SnapshotContent> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = whyNotOpen(error, file);
    if (why === null) throw error;
    throw new LonghaulError('InvalidInput', `The snapshot cannot be read: ${why}.`, { cause: error });
  });
  try {
    return readSnapshot(JSON.parse(text), file);
  } catch (error) {
    if (error instanceof SyntaxError) throw new LonghaulError('InvalidInput', `${file} is no JSON: ${error.message}.`);
    throw error;
  }
}

/** Throws `InvalidInput` for a file in a folder that is not there. */
async function refuseMissingFolder(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  if ((await stat(folder).catch(() => null))?.isDirectory()) return;
  throw new LonghaulError('InvalidInput', `The plan cannot be written to ${file}: there is no folder ${folder}.`);
}
