import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type DoomedWorker, startDoomedWorker } from '../../support/doomed-process.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { brokenLinks, closeLane, type Lane, openLane } from '../../support/release/lives.ts';
import { commit, generation, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const STARTS = fileURLToPath(new URL('../../support/release/starts-process.ts', import.meta.url));
const TEAMS = ['A', 'B', 'C'];
const VERSION = 'v1.0.0';
/** Changes of each team; every fifth one fails. */
const CHANGES = 20;

let folder: string;
let connection: Connection;
let lane: Lane;
let other: DoomedWorker;

beforeAll(async () => {
  const { temporalAddress, superuserUrl } = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-teams-'));
  connection = await Connection.connect({ address: temporalAddress });
  const bundle = await impatientBundle(folder);
  lane = await openLane('teams', { connection, temporalAddress, superuserUrl, folder, bundle });
  other = await startDoomedWorker({ ...lane.env, LONGHAUL_CACHE_DIR: join(folder, 'other') }, 'release');
});

afterAll(async () => {
  await other.kill();
  await closeLane(lane);
  await connection.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test(
  '60 starts at once from three clones, while one of two workers is killed: numbers 1 to 60, tags at the right commits',
  { timeout: 900_000 },
  async () => {
    const { clone, remote, ledger, env, worker } = lane;
    const changesOf = (team: string): string[] => Array.from({ length: CHANGES }, (_, at) => `TEAM-${team}-${at + 1}`);
    const changes = TEAMS.flatMap(changesOf);
    write(clone, { [`.longhaul/generations/${VERSION}.yaml`]: generation(VERSION, changes) });
    commit(clone, 'chore: the contract');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

    // each change is a commit of its own in the clone of its team, and is not pushed
    const commits = new Map<string, string>();
    const clones = TEAMS.map((team) => {
      const path = join(folder, `team-${team}`);
      git(folder, 'clone', '--quiet', remote, path);
      for (const [at, change] of changesOf(team).entries()) {
        git(path, 'checkout', '--quiet', '--detach', 'origin/main');
        write(path, { [at % 5 === 4 ? 'broken' : `${change}.txt`]: '' });
        commits.set(change, commit(path, `feat: a change [${change}]`));
      }
      return { team, path };
    });
    const isBroken = (change: string): boolean => Number(change.split('-')[2]) % 5 === 0;

    await other.arm(null);
    await worker.arm({ kind: 'startEvolution: a commit is answered', nth: 7 });
    const ended = await Promise.all(
      clones.map(async ({ team, path }) => {
        const pairs = changesOf(team).map((change) => `${change}=${commits.get(change)}`);
        const { stdout } = await execa(process.execPath, [STARTS, VERSION, ...pairs], {
          cwd: path,
          env: { ...env, USER: `team-${team}`, GIT_CONFIG_GLOBAL: '/dev/null' },
          extendEnv: false,
        });
        return Object.entries(
          JSON.parse(stdout) as Record<string, { readonly exitCode: number; readonly said: string }>,
        );
      }),
    );
    expect(await worker.ended).toBe('SIGKILL');
    const wrong = ended.flat().filter(([change, { exitCode }]) => exitCode !== (isBroken(change) ? 1 : 0));
    expect(wrong).toEqual([]);

    const rows = await ledger.sql<{
      change_id: string;
      rc: number;
      status: string;
      commit: string;
      created_by: string;
    }>('SELECT change_id, rc, status, commit, created_by FROM evolutions ORDER BY rc');
    expect(rows.map(({ rc }) => rc)).toEqual(changes.map((_, at) => at + 1));
    expect(Object.fromEntries(rows.map((row) => [row.change_id, [row.status, row.commit, row.created_by]]))).toEqual(
      Object.fromEntries(
        changes.map((change) => [
          change,
          [isBroken(change) ? 'fail' : 'pass', commits.get(change), `team-${change.split('-')[1]}`],
        ]),
      ),
    );
    const tags = git(remote, 'ls-remote', '.', 'refs/tags/*^{}')
      .split('\n')
      .map((line) => line.split('\t').toReversed());
    expect(Object.fromEntries(tags)).toEqual(
      Object.fromEntries(
        rows
          .filter(({ status }) => status === 'pass')
          .map((row) => [`refs/tags/${VERSION}-rc.${row.rc}^{}`, row.commit]),
      ),
    );
    expect(
      await ledger.sql(
        "SELECT event_type, count(*)::int FROM audit_events WHERE event_type LIKE 'evolution.%' GROUP BY 1 ORDER BY 1",
      ),
    ).toEqual([
      { event_type: 'evolution.failed', count: 12 },
      { event_type: 'evolution.passed', count: 48 },
      { event_type: 'evolution.started', count: 60 },
    ]);
    expect(await brokenLinks(lane)).toEqual([]);
  },
);
