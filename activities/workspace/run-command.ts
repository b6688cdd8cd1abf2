import { dirname } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { DiskOperation } from '../../domain/workspace/workspace-plan.schema.ts';
import { hasCode } from '../../platform/error-code.ts';
import { findOnPath, OutputLimitError } from '../../platform/program.ts';
import type { GitOwner } from '../git/git.ts';
import type { PlanGround } from './plan-ground.ts';
import { runPlanProgram } from './plan-program.ts';

/** How long a program may run. */
const LONGEST_MS = 30 * 60_000;

/**
 * Runs a program of a plan in its repository, to its end, with all processes that it started. One whose process was killed
 * meanwhile runs again: a program of `setup` must bear that. Throws `ProgramFailed` with the last lines that it printed;
 * what it has written stays.
 */
export async function runPlanCommand(
  {
    ground,
    owner,
    env,
    signal,
  }: {
    readonly ground: PlanGround;
    readonly owner: GitOwner;
    readonly env: NodeJS.ProcessEnv;
    readonly signal: AbortSignal;
  },
  { target, path, argv: [name = '', ...args], environment }: Extract<DiskOperation, { readonly does: 'run' }>,
): Promise<void> {
  const shown = JSON.stringify([name, ...args]);
  const failed = (why: string, cause?: unknown): LonghaulError =>
    new LonghaulError('ProgramFailed', `${shown} for ${target} ${why}`, { cause });
  const program = name.includes('/') ? name : await findOnPath(name, env);
  if (program === null) throw failed('cannot run: there is no such program on the PATH.');
  // the repository itself is held open, so that no link can take its place
  await ground.inFolderOf(`${path}/.git`, async (folder, inside) => {
    const cwd = dirname(folder.forPrograms(inside));
    const options = { cwd, env, variables: environment, timeoutMs: LONGEST_MS, signal };
    try {
      const { code, tail } = await runPlanProgram(owner, [program, ...args], options);
      if (code !== 0) throw failed(`ended with ${code ?? 'a signal'}:\n${tail}`);
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 'ENOENT', 'EACCES')) throw failed('cannot run: there is no such program.', error);
      if (error instanceof OutputLimitError) throw failed('printed too much.', error);
      if (error instanceof Error && error.name === 'TimeoutError') throw failed('took longer than 30 minutes.', error);
      throw error;
    }
  });
}
