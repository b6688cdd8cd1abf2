import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createGit } from '../activities/git/git.ts';
import { readWorkspace } from '../activities/workspace/read-workspace.ts';
import { CLEAN_GIT_ENV, git } from '../examples/git.ts';
import { madeSnapshot } from '../test/support/workspace/snapshots.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';

/** Plans and snapshots of large workspaces, against reading JSON and against git in a shell loop. */
export const workspacePlanning: Benchmark = {
  about:
    'plan of 1,000 repositories ÷ JSON of their snapshot; snapshot of 1,000 repositories ÷ git status by xargs -P4',
  measure,
};

const COUNT = 1_000;
const PLAN = fileURLToPath(new URL('plan-process.ts', import.meta.url));
const STATUS_LOOP = fileURLToPath(new URL('status-loop.sh', import.meta.url));

/** What the process that plans says. */
interface Planned {
  readonly id: string;
  readonly operations: number;
  readonly jsonMs: number;
  readonly planMs: number;
  readonly megabytes: number;
}

async function measure(context: BenchContext): Promise<Figure[]> {
  return [...(await plans(context)), ...(await snapshots(context))];
}

async function plans({ dir, runs, signal }: BenchContext): Promise<Figure[]> {
  const names = Array.from({ length: COUNT }, (_, at) => `repo-${at}`);
  const pairs = new Map<string, readonly [string, string]>();
  for (let at = 0; pairs.size < 5_000; at++) {
    const from = 1 + ((at * 7_919) % (COUNT - 1));
    const pair = [`repo-${from}`, `repo-${(at * 104_729) % from}`] as const;
    pairs.set(pair.join('/'), pair);
  }
  const deps = [...pairs.values()];
  const files = [join(dir, 'current.json'), join(dir, 'desired.json')] as const;
  await writeFile(files[0], JSON.stringify(madeSnapshot([], {})));
  await writeFile(
    files[1],
    JSON.stringify(
      madeSnapshot(
        names.map((name) => ({ name })),
        { deps, links: deps },
      ),
    ),
  );
  const values = { ratio: [] as number[], ms: [] as number[], megabytes: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const { stdout } = await execa(process.execPath, [PLAN, ...files], { cancelSignal: signal });
    const { operations, jsonMs, planMs, megabytes } = JSON.parse(stdout) as Planned;
    mustEqual('operations', operations, COUNT + deps.length);
    values.ratio.push(planMs / jsonMs);
    values.ms.push(planMs);
    values.megabytes.push(megabytes);
  }
  return [
    { what: 'plan of 1,000 repositories ÷ JSON of the snapshots', unit: '×', values: values.ratio, bar: '≤ 100' },
    { what: 'plan of 1,000 repositories with 5,000 dependencies', unit: 'ms', values: values.ms, bar: '≤ 500' },
    { what: 'memory of the process that plans', unit: 'MB', values: values.megabytes, bar: '≤ 300' },
  ];
}

async function snapshots({ dir, runs, signal, note }: BenchContext): Promise<Figure[]> {
  note(`making ${COUNT} repositories`);
  const root = join(dir, 'work');
  const first = join(dir, 'first');
  await mkdir(first);
  await git(['init', '--quiet', first]);
  for (let at = 0; at < 20; at++) await writeFile(join(first, `file${at}.txt`), `${at}\n`.repeat(100));
  await writeFile(join(first, 'package.json'), JSON.stringify({ name: 'first', version: '1.0.0', dependencies: {} }));
  await git(['-C', first, 'add', '--all']);
  await git(['-C', first, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', 'first']);
  const folders = Array.from({ length: COUNT }, (_, at) => join(root, `repo-${at}`));
  for (const [at, folder] of folders.entries()) {
    await cp(first, folder, { recursive: true, preserveTimestamps: true });
    if (at % 10 === 0) await writeFile(join(folder, 'new.txt'), 'not committed\n');
  }
  const input = folders.map((folder) => `${folder}\n`).join('');
  const loop = () => execa(STATUS_LOOP, { input, env: CLEAN_GIT_ENV, extendEnv: false, cancelSignal: signal });
  // the first one writes the indexes: afterwards neither side reads the files
  await loop();
  const options = { git: createGit(join(dir, 'cache'), process.env), env: process.env, signal };
  await readWorkspace(root, options);
  const ratio: number[] = [];
  for (let run = 0; run < runs; run++) {
    const status = await timed(loop);
    const read = await timed(() => readWorkspace(root, options));
    const { git: states, repos } = read.result.snapshot;
    mustEqual('repositories', repos.length, COUNT);
    mustEqual('changed', states.filter((one) => one['dirty?']).length, status.result.stdout.split('\n').length);
    ratio.push(read.seconds / status.seconds);
  }
  return [{ what: 'snapshot of 1,000 repositories ÷ git status by xargs -P4', unit: '×', values: ratio, bar: '≤ 1.5' }];
}
