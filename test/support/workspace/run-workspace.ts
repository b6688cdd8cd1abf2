import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../../../client/cli/program.ts';
import { memoryIo } from '../memory-io.ts';
import { git, initRepository, SCRATCH_ENV } from '../scratch-git.ts';

/** Runs `longhaul workspace …` in this process, with its folders in `scratch`. */
export async function runWorkspace(
  scratch: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const folders = { LONGHAUL_CACHE_DIR: join(scratch, 'cache'), LONGHAUL_DATA_DIR: join(scratch, 'data') };
  const io = memoryIo({ ...SCRATCH_ENV, ...folders, ...env });
  const code = await createProgram({ io }).run(['workspace', ...args]);
  return { code, out: io.out(), err: io.err() };
}

/** A repository with one commit that has these files. */
export function committedRepository(path: string, files: Readonly<Record<string, string>>): string {
  initRepository(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  git(path, 'add', '--all');
  git(path, 'commit', '--quiet', '--message', 'first');
  return path;
}

/** The text of a `package.json`. */
export function packageJson(
  name: string,
  version: string,
  dependencies: Readonly<Record<string, string>> = {},
): string {
  return `${JSON.stringify({ name, version, dependencies })}\n`;
}
