import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { flakyTests } from '../../../activities/release/pipelines/flaky-tests.ts';
import { recordRun } from '../../../activities/release/pipelines/record-run.ts';
import { storeReports } from '../../../activities/release/reports/read-reports.ts';
import { createTestLedger } from '../../support/ledger.ts';

const REPOSITORY = 'disk/acme/api';

/** The tests of an attempt of a job, by name; several with one name are a list. */
type Attempt = Readonly<Record<string, string>>;

test('a test is flaky when it has passed and failed at the same commit, in attempts or runs of the same job', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-flaky-'));
  const blobs = createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making'));
  const own = await createTestLedger();
  const ledger = openLedger(own.logins.writer, { connections: 2 });
  let runs = 0;
  const digestOf = (attempt: Attempt): Promise<string> =>
    storeReports(blobs, {
      coverage: [],
      findings: [],
      kinds: ['junit'],
      tests: Object.entries(attempt).flatMap(([name, ends]) =>
        ends
          .split(' ')
          .map((status) => ({ name, status: status as 'passed' | 'failed' | 'skipped', durationMs: 1, message: null })),
      ),
    });
  const record = async (
    commit: string,
    jobs: Readonly<Record<string, readonly Attempt[]>>,
    { pipeline = 'ci', resumedFrom = null }: { readonly pipeline?: string; readonly resumedFrom?: string | null } = {},
  ): Promise<void> => {
    const run = `run-${++runs}`;
    const outcomes = await Promise.all(
      Object.entries(jobs).map(async ([id, attempts]) => {
        const digests = await Promise.all(attempts.map(digestOf));
        return {
          id,
          end: 'passed' as const,
          why: null,
          attempts: attempts.length,
          earlier: digests.slice(0, -1).map((digest) => ({
            steps: [],
            reports: { digest, tests: 1, failed: 1, coverage: null, findings: 0 },
            log: { digest: '0'.repeat(64), size: 0 },
            startedAt: new Date().toISOString(),
            durationMs: 1,
            why: null,
          })),
          startedAt: null,
          resumedFrom,
          log: null,
          steps: [],
          outputs: {},
          artifacts: null,
          reports: { digest: digests.at(-1) ?? '', tests: 1, failed: 0, coverage: null, findings: 0 },
          durationMs: 1,
        };
      }),
    );
    const result = { run, status: 'passed' as const, repository: REPOSITORY, pipeline, commit, tree: commit, plan: '' };
    const quality = { rules: [], exceptions: [], waived: null };
    await recordRun(
      {
        ledger,
        blobs,
        url: own.logins.writer,
        announce: [],
        hasPeople: false,
        cancelledBy: () => Promise.resolve(null),
      },
      {
        ...result,
        sandbox: null,
        jobs: outcomes,
        quality,
        branch: null,
        event: 'manual',
        startedAt: new Date().toISOString(),
        by: 'ada',
      },
      { workflowId: run, who: { actor: 'ada', authenticated_by: 'unauthenticated' } },
    );
  };
  const found = async (pipeline = 'ci') =>
    (await flakyTests(ledger, { repository: REPOSITORY, pipeline })).map(({ last: _last, ...rest }) => rest);
  try {
    // never flaky: failed at one commit and passed at the next; in one job of two; with a namesake; skipped
    await record('c1', { 'test-1': [{ fixed: 'failed', twice: 'passed failed', matrix: 'failed', off: 'failed' }] });
    await record('c1', { 'test-1': [{ twice: 'failed', off: 'skipped' }], 'test-2': [{ matrix: 'passed' }] });
    await record('c2', { 'test-1': [{ fixed: 'passed', twice: 'passed' }] });
    expect(await found()).toEqual([]);
    // a retry of the job
    await record('c3', {
      'test-1': [
        { retried: 'failed', good: 'passed' },
        { retried: 'passed', good: 'passed' },
      ],
    });
    expect(await found()).toEqual([{ job: 'test-1', name: 'retried', commits: 1, failed: 1, passed: 1 }]);
    // the job is kept of that run: it has not run again
    await record('c3', { 'test-1': [{ retried: 'failed' }, { retried: 'passed' }] }, { resumedFrom: 'run-4' });
    // another run at the same commit, and one of another pipeline
    await record('c4', { 'test-1': [{ repeated: 'passed', retried: 'passed' }] });
    await record('c4', { 'test-1': [{ repeated: 'failed', retried: 'failed' }] });
    await record('c4', { 'test-1': [{ other: 'failed' }] }, { pipeline: 'other' });
    await record('c4', { 'test-1': [{ other: 'passed' }] });
    expect(await found()).toEqual([
      { job: 'test-1', name: 'repeated', commits: 1, failed: 1, passed: 1 },
      { job: 'test-1', name: 'retried', commits: 2, failed: 2, passed: 2 },
    ]);
    expect(await found('other')).toEqual([]);
    expect(
      await own.sql(
        "SELECT attempt, status FROM test_results WHERE name = 'retried' AND pipeline_run_id = 'run-4' ORDER BY attempt",
      ),
    ).toEqual([
      { attempt: 1, status: 'fail' },
      { attempt: 2, status: 'pass' },
    ]);
    // after 100 further runs they are forgotten
    await own.sql(`INSERT INTO pipeline_runs (pipeline_run_id, repository, pipeline, pipeline_digest, commit, tree, event, status, created_by, completed_at)
      SELECT 'later-' || n, '${REPOSITORY}', 'ci', '', 'c5', '', 'manual', 'pass', 'ada', now() + n * interval '1 second' FROM generate_series(1, 98) n`);
    // only the two latest runs with tests are still among them
    expect(await found()).toEqual([]);
    await own.sql("DELETE FROM pipeline_runs WHERE pipeline_run_id IN ('later-1', 'later-2')");
    expect((await found()).map(({ name }) => name)).toEqual(['repeated', 'retried']);
  } finally {
    await ledger.destroy();
    await own.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
});
