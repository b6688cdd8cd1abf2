import { appendFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { createMgit } from '../activities/mgit/index.ts';
import type { Mgit } from '../activities/mgit/index.ts';
import type { Snapshot } from '../domain/git/snapshot.ts';
import type { RepositoryAddress } from '../domain/git/repository.ts';
import { CLEAN_GIT_ENV } from '../examples/git.ts';
import { growFixture, makeFixture, moveTo } from './fixture-repositories.ts';
import type { FixtureRepository } from './fixture-repositories.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';

const REPOSITORIES = 1_000;
const MOVING = 200;
const CHANGED_FILES = 5;
/** Repositories that the flow processes in parallel by default. */
const LANES = 8;
const SHELL_LOOP = fileURLToPath(new URL('shell-loop.sh', import.meta.url));
/** Degrees of parallelism of the shell loop; the faster one is the reference. */
const SHELLS = [2, 4];

/**
 * Detects and streams the deltas of 1,000 local repositories, of which 200 have 5 changed files, including content:
 * mgit compared with a shell loop that does the same fetches and diffs. Each run moves the repositories one commit
 * forward; both sides see every commit once, from mirrors at the one before, and must stream exactly the same bytes.
 */
export const deltas: Benchmark = {
  about: `deltas of ${REPOSITORIES} repositories, ${MOVING} with ${CHANGED_FILES} changed files ÷ a shell loop with xargs -P`,
  measure,
};

async function measure({ runs, dir, signal, note }: BenchContext): Promise<Figure[]> {
  const warmUps = SHELLS.length;
  const root = join(dir, 'repositories');
  note('making the repositories, and both sides their mirrors at the first commit');
  const start = await makeFixture({ root, repositories: REPOSITORIES, filesEach: 20, signal });
  const ours = await mirrored(start, dir, signal);
  const clones = await cloned(start, join(dir, 'clones'));
  const generations = warmUps + runs;
  const fixture = await growFixture(start, { moving: MOVING, changedFiles: CHANGED_FILES, generations, signal });

  const shells: { parallel: number; seconds: number }[] = [];
  for (const [index, parallel] of SHELLS.entries()) {
    await moveTo(1 + index, fixture);
    const { loop } = await compare(ours, clones, parallel, index % 2 === 0, signal);
    shells.push({ parallel, seconds: loop });
    note(`warm-up with ${parallel} shells: ${loop.toFixed(2)} s`);
  }
  const best = shells.reduce((a, b) => (b.seconds < a.seconds ? b : a)).parallel;

  const mgit: number[] = [];
  const loops: number[] = [];
  for (let run = 0; run < runs; run++) {
    await moveTo(1 + warmUps + run, fixture);
    const measured = await compare(ours, clones, best, run % 2 === 0, signal);
    note(`run ${run + 1}: mgit ${measured.mgit.toFixed(2)} s, shell loop ${measured.loop.toFixed(2)} s`);
    mgit.push(measured.mgit);
    loops.push(measured.loop);
  }
  return [
    {
      what: 'mgit ÷ shell loop',
      unit: '×',
      values: mgit.map((seconds, run) => seconds / (loops[run] ?? Number.NaN)),
      bar: '≤ 1.5',
    },
    { what: 'mgit', unit: 's', values: mgit, bar: '≤ 3 s where the loop takes 2' },
    { what: `shell loop, xargs -P ${best}`, unit: 's', values: loops },
  ];
}

/** One run of both sides, in either order, with a check that they streamed the same. */
async function compare(
  ours: Ours,
  clones: readonly string[],
  parallel: number,
  mgitFirst: boolean,
  signal: AbortSignal,
): Promise<{ mgit: number; loop: number }> {
  const first = mgitFirst ? await timed(() => streamDeltas(ours, signal)) : null;
  const loop = await timed(() => shellLoop(clones, parallel, signal));
  const mgit = first ?? (await timed(() => streamDeltas(ours, signal)));
  mustEqual('files that mgit streamed', mgit.result.files, MOVING * CHANGED_FILES);
  mustEqual('bytes that the shell loop streamed', loop.result, mgit.result.bytes);
  return { mgit: mgit.seconds, loop: loop.seconds };
}

interface Ours {
  readonly mgit: Mgit;
  readonly repositories: readonly RepositoryAddress[];
  /** The last streamed snapshot of each repository, as its receipt would have it. */
  readonly seen: Map<string, Snapshot>;
}

async function mirrored(fixture: readonly FixtureRepository[], dir: string, signal: AbortSignal): Promise<Ours> {
  const cacheDir = join(dir, 'cache');
  await mkdir(cacheDir);
  const mgit = createMgit({
    providers: [{ name: 'local', type: 'local', root: join(dir, 'repositories') }],
    cacheDir,
    env: { ...process.env, ...CLEAN_GIT_ENV },
    maxFileBytes: 1_000_000,
  });
  const repositories = fixture.map(({ name, gitDir }) => ({ id: `local/${name}`, cloneUrl: gitDir }));
  const ours: Ours = { mgit, repositories, seen: new Map() };
  await pLimit(LANES).map(repositories, (repository) => streamOne(ours, repository, signal));
  return ours;
}

/** What a sync requests from mgit: every HEAD, then the differential of each repository that moved, with content. */
async function streamDeltas(ours: Ours, signal: AbortSignal): Promise<{ files: number; bytes: number }> {
  const heads = await ours.mgit.heads(ours.repositories, { signal });
  const moved = ours.repositories.filter(({ id }) => {
    const head = heads.get(id);
    if (head === undefined || head instanceof Error)
      throw new Error(`mgit could not read HEAD of ${id}`, { cause: head });
    return head.commit !== ours.seen.get(id)?.commit;
  });
  const streamed = await pLimit(LANES).map(moved, (repository) => streamOne(ours, repository, signal));
  return {
    files: streamed.reduce((sum, { files }) => sum + files, 0),
    bytes: streamed.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Counts bytes as `git cat-file --batch` would print them, including header and line feed. */
async function streamOne(
  { mgit, seen }: Ours,
  repository: RepositoryAddress,
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  const delta = await mgit.diff(repository, seen.get(repository.id) ?? null, { signal });
  for await (const change of delta.changes()) {
    if (change.op === 'delete' || change.content === null) continue;
    files++;
    bytes += `${change.blob.oid} blob ${change.content.length}\n`.length + change.content.length + 1;
  }
  seen.set(repository.id, delta.to);
  return { files, bytes };
}

/** Clones each repository with `git clone --bare`, and stores the commit that the loop has seen last next to it. */
async function cloned(fixture: readonly FixtureRepository[], root: string): Promise<string[]> {
  return pLimit(LANES).map(fixture, async ({ name, gitDir, commits }) => {
    const clone = join(root, `${name}.git`);
    await cp(gitDir, clone, { recursive: true });
    await appendFile(join(clone, 'config'), `[remote "origin"]\n\turl = ${gitDir}\n`);
    await writeFile(join(clone, 'seen'), `${commits[0] ?? ''}\n`);
    return clone;
  });
}

/** Runs the loop over all clones and returns how many bytes it printed. */
async function shellLoop(clones: readonly string[], parallel: number, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  const loop = execa('xargs', ['-0', '-P', String(parallel), '-n', '25', 'sh', SHELL_LOOP], {
    input: clones.join('\0'),
    env: CLEAN_GIT_ENV,
    extendEnv: false,
    encoding: 'buffer',
    buffer: false,
    cancelSignal: signal,
  });
  loop.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await loop;
  return bytes;
}
