import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BlobStore } from '../../../activities/blobs/blob-store.ts';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { createAbsences } from '../../../activities/kubernetes/clusters.ts';
import { openLedger, type LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';
import { storeContracts } from '../../../activities/release/contracts/stored-contracts.ts';
import { createSeal, newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import type { Watched } from '../../../activities/release/deployment/watch-deployment.ts';
import { type ChangeActivities, createChangeActivities } from '../../../activities/release/environment-changes.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const REPOSITORY = 'local/acme/api';
const MINUTES = 60_000;

describe('a watch', () => {
  let ledger: TestLedger;
  let database: LedgerDatabase;
  let blobs: BlobStore;
  let folder: string;
  let service: Server;
  let activities: ChangeActivities;
  let contracts: string;
  /** The answers of the service, the first one first; then it is healthy. */
  const answers: number[] = [];
  let asked = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-watch-'));
    ledger = await createTestLedger();
    database = openLedger(ledger.logins.writer);
    const env = { LONGHAUL_DATA_DIR: folder };
    blobs = await openBlobs(loadConfig({ env }), env);
    service = createServer((_request, response) => {
      asked++;
      response.writeHead(answers.shift() ?? 200).end();
    });
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const health = `[{name: page, http: '${url}/', interval: 1s}]`;
    const text = `environments:
  - name: staging
    context: test
    namespace: shop
    failed_checks: 3
    services: {api: {manifests: {folder: k8s}, health: ${health}}}
`;
    contracts = await storeContracts(blobs, { name: '.longhaul', files: [{ path: 'environments.yaml', text }] });
    const identity = (await newKeyFile()).split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-1'));
    activities = createChangeActivities({
      openCluster: () => expect.unreachable('the deployment has no objects'),
      absences: createAbsences(),
      blobs,
      ledger: database,
      ledgerUrl: ledger.logins.writer,
      seal: await createSeal({ identity: identity ?? '' }),
      contexts: { test: { repositories: ['local/acme/*'], addresses: [url], candidates: false, retired: false } },
      unreachableMs: 0,
    });
  });
  afterEach(() => void vi.useRealTimers());
  afterAll(async () => {
    service?.close();
    await database?.destroy();
    await ledger?.dispose();
    await rm(folder, { recursive: true });
  });

  /** A deployment in the ledger, with the samples of a watch so far: true for a healthy one. */
  async function deployed(watch = '', samples: readonly boolean[] = []): Promise<string> {
    const deployment = randomUUID();
    await ledger.sql(
      `INSERT INTO deployments (deployment_id, repository, environment, version, commit, packed, contracts, services,
         goes_back, context, namespace, workflow_id, created_by)
       VALUES ($1, $2, 'staging', 'v1.0.0', $3, '{}', $4, '["api"]', false, 'test', 'shop', 'w', 'ada')`,
      [deployment, REPOSITORY, 'a'.repeat(40), contracts],
    );
    for (const [sequence, ok] of samples.entries()) {
      const sample = JSON.stringify({ what: 'health', name: 'api: page', ok, why: 'it answered 500' });
      await ledger.sql(
        `INSERT INTO deployment_samples (deployment_id, sequence, watch, sample, verdict, why)
         VALUES ($1, $2, $3, $4, $5, 'why')`,
        [deployment, sequence, watch, sample, ok ? 'good' : 'bad'],
      );
    }
    return deployment;
  }

  /**
   * Watches as a worker does whose clock is so much ahead of that of the servers. `waited`: the attempt was scheduled so
   * long after the first one.
   */
  function watchFor(
    deployment: string,
    { seconds, ahead = 0, waited = 0 }: { readonly seconds: number; readonly ahead?: number; readonly waited?: number },
  ): Promise<Watched> {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true, now: now + ahead });
    const times = { scheduledTimestampMs: now - waited, currentAttemptScheduledTimestampMs: now };
    const given = { repository: REPOSITORY, contracts, environment: 'staging', deployment };
    const metrics = { baseline: { none: 'no metrics' }, byMetrics: false };
    asked = 0;
    return mockActivity({ activityId: 'end', ...times }).run(() =>
      activities.watchDeployment({ ...given, ...metrics, services: ['api'], seconds }),
    );
  }

  test.for([
    ['ahead', 10 * MINUTES],
    ['behind', -10 * MINUTES],
  ] as const)('of a worker whose clock is ten minutes %s is as long as any other', async ([, ahead]) => {
    const deployment = await deployed();
    const { breach, samples } = await watchFor(deployment, { seconds: 2, ahead });
    expect([breach, samples]).toEqual([null, asked]);
    expect(asked).toBeGreaterThan(1);
    const inTime = "taken_at BETWEEN now() - interval '5 minutes' AND now()";
    expect(
      await ledger.sql(`SELECT count(*)::int AS n FROM deployment_samples WHERE deployment_id = $1 AND ${inTime}`, [
        deployment,
      ]),
    ).toEqual([{ n: samples }]);
  });

  test('that a worker takes up when its time is over asks everything once', async () => {
    const ended = await watchFor(await deployed(), { seconds: 60, waited: MINUTES });
    expect(ended).toMatchObject({ breach: null, samples: 1 });
    // and what fails until it is decided
    answers.push(500, 500, 200);
    expect(await watchFor(await deployed(), { seconds: 60, waited: MINUTES })).toMatchObject({ breach: null });
    expect(asked).toBe(3);
    answers.push(500, 500, 500);
    expect(await watchFor(await deployed(), { seconds: 60, waited: MINUTES })).toMatchObject({
      breach: 'api: page: it answered 500, 3 times in a row',
    });
  });

  test('goes on where an attempt before it was, and not where another watch was', async () => {
    answers.push(500);
    const again = await watchFor(await deployed('end', [true, false, false]), { seconds: 60 });
    expect(again).toMatchObject({ breach: 'api: page: it answered 500, 3 times in a row', samples: 4 });
    answers.push(500);
    const next = await watchFor(await deployed('step', [true, false, false]), { seconds: 2 });
    expect(next.breach).toBeNull();
  });
});
