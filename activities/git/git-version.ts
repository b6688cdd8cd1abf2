import { findOnPath, runProgram } from '../../platform/program.ts';
import { atLeast } from '../../platform/version.ts';

/** The oldest git that Longhaul works with: `cat-file --batch-command` and `fetch --refetch` came with it. */
export const OLDEST_GIT = '2.36';

/** The installed git; null when there is none on `env.PATH`. */
export interface InstalledGit {
  /** Its path. */
  readonly program: string;
  /** As it prints it; `unknown` when it prints none. */
  readonly version: string;
  /** False when it is older than {@link OLDEST_GIT}. */
  readonly isUsable: boolean;
}

/** Looks up git and its version. */
export async function findGit(env: NodeJS.ProcessEnv): Promise<InstalledGit | null> {
  const program = await findOnPath('git', env);
  if (program === null) return null;
  const { stdout } = await runProgram(program, ['--version'], { env, timeoutMs: 10_000 });
  const version = /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'unknown';
  const [major = 0, minor = 0] = OLDEST_GIT.split('.').map(Number);
  return { program, version, isUsable: atLeast(version, major, minor) };
}
