import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { storeContracts } from '../../../activities/release/contracts/stored-contracts.ts';
import { openEvolution } from '../../../activities/release/evolutions/open-evolution.ts';
import type { RunningFlow } from '../../../activities/ledger/acting-flow.ts';
import type { LedgerTools } from '../../../activities/release/ledger-tools.ts';
import { recordRun } from '../../../activities/release/pipelines/record-run.ts';
import { commitPromotion } from '../../../activities/release/promotion/commit-promotion.ts';
import { prepareTag } from '../../../activities/release/promotion/prepare-tag.ts';
import { recordPublication } from '../../../activities/release/promotion/record-publication.ts';
import { recordRefusal } from '../../../activities/ledger/record-refusal.ts';
import { promoteGenerationFlow } from '../../../domain/release/flows/promotion-flows.ts';
import { actOf } from '../../../domain/shared/acts.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { generation } from '../../support/release/work.ts';

const REPOSITORY = 'local/acme/api';
const COMMIT = 'c'.repeat(40);
const OBJECT = 'a'.repeat(40);
const NOTES = 'd'.repeat(64);
/** Attempts of an activity that run at the same time, as after a timeout. */
const ATTEMPTS = 8;

let ledger: TestLedger;
let tools: LedgerTools;
let folder: string;
beforeAll(async () => {
  ledger = await createTestLedger();
  folder = mkdtempSync(join(tmpdir(), 'longhaul-acts-'));
  const { writer: url } = ledger.logins;
  tools = {
    ledger: openLedger(url, { connections: ATTEMPTS }),
    url,
    blobs: createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making')),
    announce: [],
    hasPeople: false,
    cancelledBy: () => Promise.resolve(null),
  };
});
afterAll(async () => {
  await tools.ledger.destroy();
  await ledger.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function flowOf(runId: string): RunningFlow {
  return { workflowId: `flow of ${runId}`, runId, who: { actor: 'ada', authenticated_by: 'unauthenticated' } };
}

function atOnce<Result>(work: () => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: ATTEMPTS }, work));
}

/** The contracts of a version with one change. */
function contractsOf(version: string): Promise<string> {
  return storeContracts(tools.blobs, {
    name: '.longhaul',
    files: [
      { path: `generations/${version}.yaml`, text: generation(version, ['FEAT-1']) },
      { path: 'pipelines/full-ci.yaml', text: "name: full-ci\nsteps: [{name: unit, command: 'true'}]\n" },
    ],
  });
}

/** Starts the first evolution of a version, in a run of this name. */
async function opened(version: string, run: string) {
  const contracts = await contractsOf(version);
  const asked = { repository: REPOSITORY, version, change: 'FEAT-1', contracts, replaces: [], by: 'ada' };
  return { contracts, open: () => openEvolution(tools, asked, flowOf(run)) };
}

const PASS = `UPDATE evolutions SET status = 'pass', commit = $2, pipeline = 'full-ci', proof = '{}', completed_at = now()
  WHERE evolution_id = $1`;

/** A version whose change is proven, and what promotes it at a commit. */
async function provenVersion(version: string) {
  const { contracts, open } = await opened(version, `start of ${version}`);
  await open();
  await ledger.sql(PASS, [`start of ${version}`, COMMIT]);
  const packed = { commit: COMMIT, tree: 'e'.repeat(40), pack: NOTES, changed: NOTES };
  const released = { repository: REPOSITORY, version, kind: 'standard', packed, contracts, by: 'ada' } as const;
  return {
    released,
    promote: (runId: string, more: { commit?: string; object?: string } = {}) => {
      const { commit = COMMIT, object = OBJECT } = more;
      const asked = {
        ...released,
        packed: { ...packed, commit },
        coverage: { proofs: NOTES, uncovered: [], authors: [], outside: null, policies: null, branch: 'main' },
        overrideFreeze: null,
        overriddenBy: [],
        approval: null,
        object,
        before: NOTES,
        assets: [],
        approvedBy: [],
        isAuthenticated: false,
      };
      return commitPromotion(tools, asked, flowOf(runId));
    },
  };
}

async function eventsOf(type: string, where = ''): Promise<number> {
  const [row] = await ledger.sql<{ events: number }>(
    `SELECT count(*)::int AS events FROM audit_events WHERE event_type = $1 ${where}`,
    [type],
  );
  return row?.events ?? 0;
}

describe('attempts at the same time are one event', () => {
  test('of the start of an evolution, also of the first one of a generation', async () => {
    const { open } = await opened('v1.0.0', 'a start');
    const started = await atOnce(open);
    expect(new Set(started.map((each) => each.started?.tag))).toEqual(new Set(['v1.0.0-rc.1']));
    expect(await eventsOf('evolution.started', "AND resource_id = 'v1.0.0-rc.1'")).toBe(1);
  });

  test('of a refusal', async () => {
    const refused = {
      ...actOf(promoteGenerationFlow, { repository: REPOSITORY, version: 'v9.0.0', by: 'ada' }),
      type: 'PromotionRefused',
      isRefused: true,
      message: 'no',
      facts: null,
    };
    await atOnce(() => recordRefusal(tools, refused, flowOf('a refused run')));
    expect(await eventsOf('generation.refused')).toBe(1);
  });

  test('of a publication', async () => {
    const { promote } = await provenVersion('v1.1.0');
    await promote('promotion of v1.1.0');
    const publication = {
      repository: REPOSITORY,
      version: 'v1.1.0',
      notes: NOTES,
      published: ['asset: sent'],
      by: 'ada',
    };
    await atOnce(() => recordPublication(tools, publication, flowOf('promotion of v1.1.0')));
    expect(await eventsOf('generation.published')).toBe(1);
    // what is new is another one
    const more = { ...publication, published: ['asset: sent', 'announcement: sent'] };
    await atOnce(() => recordPublication(tools, more, flowOf('promotion of v1.1.0')));
    expect(await eventsOf('generation.published')).toBe(2);
  });
});

test('a failed run and a verdict on its commit take turns: the run sees the proof, and takes it back', async () => {
  const { open } = await opened('v1.2.0', 'a proof');
  await open();
  await withPostgres(ledger.logins.writer, async (verdict) => {
    await verdict.query('SET search_path = longhaul');
    await verdict.query('BEGIN');
    // as judgeEvolution does, which is not done yet
    await verdict.query("SELECT FROM generations WHERE version = 'v1.2.0' FOR UPDATE");
    await verdict.query(PASS, ['a proof', COMMIT]);
    let hasEnded = false;
    const failed = recordRun(
      tools,
      {
        run: 'a failed run',
        status: 'failed',
        repository: REPOSITORY,
        pipeline: 'full-ci',
        commit: COMMIT,
        tree: COMMIT,
        plan: '',
        sandbox: null,
        quality: { rules: [], exceptions: [], waived: null },
        jobs: [],
        branch: null,
        event: 'manual',
        startedAt: new Date().toISOString(),
        by: 'ada',
      },
      flowOf('a failed run'),
    ).finally(() => (hasEnded = true));
    await vi.waitUntil(async () => hasEnded || (await waiting()) > 0, { timeout: 20_000, interval: 20 });
    await verdict.query('COMMIT');
    await failed;
  });
  expect(await ledger.sql("SELECT status, taken_back_by FROM evolutions WHERE evolution_id = 'a proof'")).toEqual([
    { status: 'fail', taken_back_by: 'a failed run' },
  ]);
});

/** Transactions of the ledger that wait for a lock. */
async function waiting(): Promise<number> {
  const [row] = await ledger.sql<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE NOT granted AND datname = current_database()`,
  );
  return row?.waiting ?? 0;
}

describe('a promotion after one that was ended from outside', () => {
  test('is the same when it has the same tag, so that its tag stays; the time is that of the first', async () => {
    const { promote } = await provenVersion('v1.3.0');
    const first = await promote('a run that was terminated');
    // the attempt whose answer was lost, and the next run
    expect(await promote('a run that was terminated')).toEqual(first);
    expect(await promote('the next run')).toMatchObject({ at: first.at });
    expect(await eventsOf('generation.promoted', "AND resource_id = 'v1.3.0'")).toBe(1);
    await expect(promote('another tag', { object: 'b'.repeat(40) })).rejects.toMatchObject({
      type: 'PromotionRefused',
    });
    await expect(promote('another commit', { commit: 'f'.repeat(40) })).rejects.toMatchObject({
      type: 'PromotionRefused',
    });
  });

  test('at another commit prepares no tag, since it would remove that of the release', async () => {
    const { released, promote } = await provenVersion('v1.4.0');
    const { tag } = await prepareTag(tools, released);
    await promote('a run');
    const tags = () => ledger.sql("SELECT final_tags FROM generations WHERE version = 'v1.4.0'");
    const before = await tags();
    const other = { ...released, packed: { ...released.packed, commit: 'f'.repeat(40) } };
    await expect(prepareTag(tools, other)).rejects.toMatchObject({ type: 'PromotionRefused' });
    expect(await tags()).toEqual(before);
    // at the same commit it is the same tag
    expect((await prepareTag(tools, released)).tag).toEqual(tag);
  });
});
