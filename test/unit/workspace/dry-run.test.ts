import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { git, scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';
import { machine } from '../../support/workspace/run-workspace.ts';

const BIN = fileURLToPath(new URL('../../../client/bin.ts', import.meta.url));
const CHECK = fileURLToPath(new URL('../../support/workspace/check-process.ts', import.meta.url));

/** Calls by which a process makes, changes or removes something, and `openat`, of which the flags are looked at. */
const CALLS =
  'openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,truncate,ftruncate,chmod,fchmodat,utimensat,mknodat,copy_file_range';
const WRITES = /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND/;

/** The calls of a program and all its children that write below a folder. */
function writesBelow(root: string, trace: string, program: readonly string[], env: NodeJS.ProcessEnv) {
  const { status, stdout, stderr } = spawnSync(
    'strace',
    ['-f', '-y', '-s', '4096', '-e', `trace=${CALLS}`, '-o', trace, process.execPath, ...program],
    { env: { ...SCRATCH_ENV, ...env }, encoding: 'utf8', timeout: 120_000 },
  );
  const lines = readFileSync(trace, 'utf8').split('\n');
  // an absolute path elsewhere is no call below the root, also when the working folder is
  const isBelow = (line: string): boolean =>
    line.includes(root) &&
    [...line.matchAll(/"([^"]*)"/g)].some(([, path = '']) => !path.startsWith('/') || path.startsWith(root));
  const writes = lines.filter(
    (line) => isBelow(line) && (/\bopen(?:at)?\(/.test(line) ? WRITES.test(line) : /^\d+ +\w+\(/.test(line)),
  );
  return { status, stdout, stderr, writes, calls: lines.filter((line) => line.includes(root)).length };
}

const hasStrace = spawnSync('strace', ['-V']).status === 0;

test.runIf(hasStrace)('a dry run makes no call that writes below the root', { timeout: 300_000 }, async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch, join(scratch, 'workspace-root'));
  const { root, bytes, origin } = place;
  writeFileSync(join(root, 'longhaul.workspace.yaml'), `repositories: [{ name: old, origin: "${origin('old')}" }]\n`);
  mkdirSync(join(scratch, 'aside'));
  const { env } = machine(scratch, [['npm', 'test']]);
  const known = {
    ...env,
    LONGHAUL_CACHE_DIR: join(scratch, 'cache'),
    LONGHAUL_DATA_DIR: join(scratch, 'data'),
    LONGHAUL_CONFIG: env['LONGHAUL_CONFIG'],
  };
  const plan = join(scratch, 'plan.json');
  writeFileSync(plan, bytes);
  const before = walk(root);
  const trace = join(scratch, 'trace');
  const at = ['--root', root];
  for (const program of [
    [BIN, 'workspace', 'add', origin('web'), '--to-manifest', '--dry-run', ...at],
    [BIN, 'workspace', 'remove', 'old', '--delete', '--dry-run', ...at],
    [BIN, 'workspace', 'validate', '--dry-run', ...at],
    [BIN, 'workspace', 'status', '--drift', ...at],
    [BIN, 'workspace', 'plan', ...at],
    // what the flow runs on the machine for `apply --dry-run`
    [CHECK, JSON.stringify({ scratch, root, plan })],
  ]) {
    const found = writesBelow(root, trace, program, known);
    expect(found, `${program.slice(1, 3).join(' ')}: ${found.stderr}`).toMatchObject({ status: 0, writes: [] });
    // the workspace was looked at
    expect(found.calls).toBeGreaterThan(3);
  }
  expect(walk(root)).toEqual(before);
  // the trace would show it
  const touched = writesBelow(root, trace, ['-e', `fs.writeFileSync(${JSON.stringify(join(root, 'x'))}, '')`], known);
  expect(touched.writes).toHaveLength(1);
  execFileSync('git', ['-C', join(root, 'old'), 'status'], { env: SCRATCH_ENV });
  expect(git(join(root, 'old'), 'status', '--porcelain')).toBe('');
});
