import { mkdirSync, writeFileSync } from 'node:fs';
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

/**
 * The environment of a machine whose longhaul.yaml allows workspaces below `scratch`, with these commands. `mix` is the text of
 * the program of this name, which comes first on the PATH.
 */
export function machine(
  scratch: string,
  commands: readonly (readonly string[])[],
  mix?: string,
): { readonly env: NodeJS.ProcessEnv } {
  const config = join(scratch, 'longhaul.yaml');
  writeFileSync(config, JSON.stringify({ host: { name: 'desk', roots: [scratch], commands } }));
  const bin = join(scratch, 'bin');
  mkdirSync(bin, { recursive: true });
  if (mix !== undefined) writeFileSync(join(bin, 'mix'), mix, { mode: 0o755 });
  return { env: { LONGHAUL_CONFIG: config, PATH: `${bin}:${SCRATCH_ENV['PATH']}` } };
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
