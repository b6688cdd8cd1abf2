import { readFile } from 'node:fs/promises';
import { createGit } from '../../../activities/git/git.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { desiredSnapshot } from '../../../domain/workspace/desired-snapshot.ts';
import { placedAt } from '../../../domain/workspace/placed-snapshot.ts';
import { readSnapshot } from '../../../domain/workspace/workspace-snapshot.schema.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import type { CliContext } from '../../core/context.ts';
import { whyNotOpen } from './why-not-open.ts';
import { type PlanOutput, refuseMissingFolder, writePlan } from './write-plan.ts';

/** Options of `longhaul workspace plan`. */
export interface PlanOptions extends PlanOutput {
  readonly root: string;
  /** The file with the desired snapshot. @default what the manifest says */
  readonly to?: string;
}

/**
 * `longhaul workspace plan`: what has to be done, and whether it can be. Changes nothing but the file that `--output`
 * names. Exit code 9 when a precondition does not hold.
 */
export async function planCommand(context: CliContext, { root, to, ...where }: PlanOptions): Promise<number> {
  const { cacheDir, env } = context;
  if (where.output !== undefined) await refuseMissingFolder(where.output);
  const options = { git: createGit(cacheDir, env), env };
  const { snapshot: current, manifest } = await readWorkspace(root, options);
  const wanted = to === undefined ? desiredSnapshot(current, manifest) : placedAt(await readFrom(to), current);
  return writePlan(context, { current, wanted, environment: manifest.environment }, where, options);
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
