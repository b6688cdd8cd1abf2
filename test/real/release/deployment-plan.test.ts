import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { openLedger, type LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';
import {
  type PlannedObject,
  readObjects,
  recordPlan,
} from '../../../activities/release/deployment/deployment-objects.ts';
import { endDeployment, startDeployment } from '../../../activities/release/deployment/record-deployment.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createSeal, newKeyFile, type Seal } from '../../../activities/release/deployment/sealed.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';

const WHO = { actor: 'ada', authenticated_by: 'unauthenticated' };

/** An update of a ConfigMap that had this mode before. */
function changeFrom(mode: string): PlannedObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' } };
  const before = { ...object, data: { mode } };
  const key = { context: 'test', group: '', kind: 'ConfigMap', namespace: 'shop', name: 'settings' };
  return { service: 'api', action: 'update', key, apiVersion: 'v1', before, wanted: object, written: object };
}

describe('what was before a deployment', () => {
  let ledger: TestLedger;
  let database: LedgerDatabase;
  let seal: Seal;

  beforeAll(async () => {
    ledger = await createTestLedger();
    database = openLedger(ledger.logins.writer);
    const identity = (await newKeyFile()).split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-1'));
    seal = await createSeal({ identity: identity ?? '' });
  });
  afterAll(async () => {
    await database?.destroy();
    await ledger?.dispose();
  });

  const record = (deployment: string, plan: string, mode: string): Promise<void> =>
    database.transaction().execute((trx) =>
      recordPlan(
        trx,
        seal,
        {
          deployment_id: deployment,
          repository: 'local/acme/api',
          environment: 'staging',
          version: 'v1.0.0',
          commit: 'a'.repeat(40),
          packed: '{}',
          contracts: 'b'.repeat(64),
          services: '["api"]',
          goes_back: false,
          context: 'test',
          namespace: 'shop',
          plan_digest: plan,
          workflow_id: 'deploy/local/acme/api/staging',
          created_by: 'ada',
        },
        [changeFrom(mode)],
      ),
    );
  const start = (deployment: string, plan: string): Promise<unknown> =>
    startDeployment(
      { ledger: database },
      { deployment, plan, approvedBy: [], reason: null, overrideFreeze: null, cause: null, earlier: [], by: 'ada' },
      { workflowId: 'deploy/local/acme/api/staging', runId: deployment, who: WHO },
    );
  const modeBefore = async (deployment: string): Promise<unknown> =>
    (await readObjects(database, seal, { deployment })).map(({ before }) => before?.['data']);

  test('is replaced by a new plan before the first change, and never after it', async () => {
    const deployment = randomUUID();
    const [first, second] = ['1'.repeat(64), '2'.repeat(64)];
    await record(deployment, first, 'old');
    await record(deployment, second, 'older');
    await expect(start(deployment, first)).rejects.toMatchObject({ type: 'DeploymentRefused' });
    await start(deployment, second);
    // an attempt that was given up, and finds what the deployment has made
    await expect(record(deployment, first, 'deployed')).rejects.toMatchObject({ type: 'DeploymentRefused' });
    expect(await modeBefore(deployment)).toEqual([{ mode: 'older' }]);
    expect(
      await ledger.sql('SELECT status, plan_digest FROM deployments WHERE deployment_id = $1', [deployment]),
    ).toEqual([{ status: 'deploying', plan_digest: second }]);
    // a repetition of the start
    await start(deployment, second);
  });

  test('and its end are recorded also where a program said what a database cannot store', async () => {
    const deployment = randomUUID();
    await record(deployment, '1'.repeat(64), 'old');
    await start(deployment, '1'.repeat(64));
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-plan-'));
    const env = { LONGHAUL_DATA_DIR: folder };
    const blobs = await openBlobs(loadConfig({ env }), env);
    const failed = { isCancelled: false, isIncomplete: false };
    const flow = { workflowId: 'deploy/local/acme/api/staging', runId: deployment, who: WHO };
    const why = 'The hook said: \0 and half of an emoji \ud83d.';
    await endDeployment({ ledger: database, blobs }, { deployment, failed, why, by: 'ada' }, flow);
    expect(await ledger.sql('SELECT status, why FROM deployments WHERE deployment_id = $1', [deployment])).toEqual([
      { status: 'undone', why: 'The hook said: \ufffd and half of an emoji \ufffd.' },
    ]);
    await rm(folder, { recursive: true });
  });
});
