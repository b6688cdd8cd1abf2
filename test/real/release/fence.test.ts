import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClusters } from '../../../activities/kubernetes/cluster.ts';
import type { Kubectl } from '../../../activities/kubernetes/kubectl.ts';
import { ledgerFailure } from '../../../activities/ledger/ledger-failure.ts';
import { type LedgerDatabase, openLedger } from '../../../activities/ledger/open-ledger.ts';
import { takeFence } from '../../../activities/release/deployment/fence.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { openRelay, type StallingRelay } from '../../support/stalling-relay.ts';

let ledger: TestLedger;
let relay: StallingRelay;
let database: LedgerDatabase;

beforeAll(async () => {
  ledger = await createTestLedger();
  const url = new URL(ledger.logins.writer);
  relay = await openRelay(url.host);
  url.host = relay.address;
  database = openLedger(url.href);
});
afterAll(async () => {
  relay?.breakOff();
  await database?.destroy();
  await relay?.close();
  await ledger?.dispose();
});

/** An attempt that Temporal scheduled in this second; with a service of its own environment, or all of it. */
const take = (environment: string, service: string | null, second: number): Promise<() => Promise<void>> =>
  takeFence(database, {
    repository: 'local/acme/api',
    environment,
    service,
    scheduledAt: new Date(1_700_000_000_000 + second * 1_000),
  });

const TAKEN_OVER = { type: 'StepTakenOver' };

test('the latest attempt at a service may write, those before it may not', async () => {
  const first = await take('one', 'api', 1);
  await first();
  const second = await take('one', 'api', 2);
  await expect(first()).rejects.toMatchObject(TAKEN_OVER);
  await expect(first()).rejects.toThrow('A later attempt changes api in one');
  await second();
  // in the order of Temporal: it comes late, and takes nothing
  await expect(take('one', 'api', 1)).rejects.toMatchObject(TAKEN_OVER);
  await second();
});

test('services, environments and repositories do not hold up one another', async () => {
  const [api, web, elsewhere] = [
    await take('two', 'api', 1),
    await take('two', 'web', 2),
    await take('three', 'api', 3),
  ];
  const another = await takeFence(database, {
    repository: 'local/acme/web',
    environment: 'two',
    service: 'api',
    scheduledAt: new Date(1_800_000_000_000),
  });
  await expect(Promise.all([api, web, elsewhere, another].map((check) => check()))).resolves.toHaveLength(4);
});

test('an attempt at everything ends those before it at each service, and is ended by those that come later', async () => {
  const [api, web] = [await take('four', 'api', 1), await take('four', 'web', 2)];
  const undo = await take('four', null, 3);
  await expect(api()).rejects.toMatchObject(TAKEN_OVER);
  await expect(web()).rejects.toMatchObject(TAKEN_OVER);
  await expect(take('four', 'new', 2)).rejects.toMatchObject(TAKEN_OVER);
  await undo();
  const next = await take('four', 'web', 4);
  await expect(undo()).rejects.toThrow('A later attempt changes four');
  await next();
});

test('an attempt that is not the latest, or cannot ask, runs no kubectl; those that it is joined with do', async () => {
  const made: string[] = [];
  const run: Kubectl['run'] = (args, { input = '' } = {}) => {
    const { items } = JSON.parse(input) as { readonly items: readonly { readonly data: { readonly of: string } }[] };
    made.push(...items.map(({ data }) => `${args[1]} ${data.of}`));
    return Promise.resolve({ code: 0, stdout: '', stderr: '' });
  };
  const kubectl: Kubectl = {
    run,
    inContext: async (_context, args, options) => (await run(args, options)).stdout,
    ask: () => Promise.reject(new Error('an apply asks nothing')),
  };
  const openCluster = createClusters(kubectl);
  const apply = (of: string, beforeWrite: () => Promise<void>): Promise<void> =>
    openCluster('test', { sharedBy: 'deployment', beforeWrite }).apply([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { of } },
    ]);
  const [stale, web] = [await take('five', 'api', 1), await take('five', 'web', 2)];
  const latest = await take('five', 'api', 3);
  const ends = await Promise.allSettled([apply('first', stale), apply('second', latest), apply('web', web)]);
  expect(ends.map((end) => (end.status === 'rejected' ? (end.reason as unknown) : null))).toEqual([
    expect.objectContaining(TAKEN_OVER),
    null,
    null,
  ]);
  expect(made.splice(0)).toEqual(['--server-side second', '--server-side web']);

  relay.stall();
  const silent = await apply('unknown', latest).catch((error: unknown) => error);
  expect(ledgerFailure(silent, ledger.logins.writer)).toMatchObject({ type: 'ServerUnavailable' });
  expect(made).toEqual([]);
});
