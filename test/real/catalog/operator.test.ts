import { execa } from 'execa';
import { expect, inject } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { findTemporal } from '../../../stack/temporal.ts';
import { sourceOf, test } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';

/** The data that the UI shows for a run. */
interface Metadata {
  readonly currentDetails: string;
  readonly definition: {
    readonly updateDefinitions: readonly { readonly name: string; readonly description: string }[];
  };
}

test('an operator starts, watches and answers a flow with the temporal program alone', async ({ flows }) => {
  const { estate, client, started } = flows;
  await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
  const program = await findTemporal(inject('stack').cacheDir, process.env);
  if (program === null) throw new Error('the temporal program is not there');
  const temporal = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await execa(program.command, [
      ...args,
      '--address',
      inject('stack').temporalAddress,
      '--namespace',
      NAMESPACE,
      '-o',
      'json',
    ]);
    return JSON.parse(stdout) as unknown;
  };
  const id = 'operator-onboarding';
  const run = (await temporal(
    'workflow',
    'start',
    '--type=onboardRepositories',
    '--task-queue=longhaul-flows',
    `--workflow-id=${id}`,
    '--input={"patterns": ["acme/*"], "confirm": true}',
  )) as { runId: string };
  started.push([id, run.runId]);

  const handle = client.workflow.getHandle(id);
  await expect
    .poll(() => handle.query<{ stage: string }>('progress'))
    .toMatchObject({ stage: 'waiting for confirmation' });
  const metadata = await handle.query<Metadata>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toContain('| stage | waiting for confirmation |');
  expect(metadata.currentDetails).toContain('Matched 1 repository. Proceed with initial indexing?');
  expect(metadata.definition.updateDefinitions).toMatchObject([{ name: 'confirm' }]);
  const waiting = async (): Promise<string[]> => {
    const ids: string[] = [];
    const query = "LonghaulStage = 'waiting for confirmation' AND ExecutionStatus = 'Running'";
    for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  };
  await expect.poll(waiting).toEqual([id]);

  await temporal(
    'workflow',
    'update',
    'execute',
    '--workflow-id',
    id,
    '--name',
    'confirm',
    '--input',
    '{"proceed": true, "by": "ada"}',
  );
  expect(await handle.result()).toMatchObject({ succeeded: 1, failed: 0 });

  const history = await handle.fetchHistory();
  const summaries = (history.events ?? []).flatMap(({ userMetadata }) =>
    userMetadata?.summary?.data ? [Buffer.from(userMetadata.summary.data).toString()] : [],
  );
  expect(summaries).toContain('"mgit list acme/*"');
  expect(summaries).toContain('"syncRepository acme/api"');
});

test('a run can be cancelled: it stops, and unfinished repositories keep their old receipts', async ({ flows }) => {
  const { estate, client, tools } = flows;
  const files = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]),
  );
  await estate.create('acme/big', files);
  const handle = await startFlow(client, 'onboardRepositories', { patterns: ['acme/big'] });
  await expect.poll(() => tools.store.count('local/acme/big'), { interval: 20, timeout: 60_000 }).toBeGreaterThan(0);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(/cancelled/i);
  expect(await tools.store.readReceipt('local/acme/big')).toMatchObject({ commit: '', objects: 0 });
  expect(await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/big'] })).result()).toMatchObject({
    succeeded: 1,
  });
  expect(await tools.store.readReceipt('local/acme/big')).toMatchObject({ objects: 10_000, pending: null });
});

test('two concurrent starts with the same question share one run', async ({ flows }) => {
  const { estate, client } = flows;
  await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
  const [one, two] = await Promise.all([
    startFlow(client, 'onboardRepositories', { patterns: ['acme/api', 'acme/none'] }),
    startFlow(client, 'onboardRepositories', { patterns: ['acme/none', 'acme/api'] }),
  ]);
  expect(one.workflowId).toBe(two.workflowId);
  expect(await one.result()).toEqual(await two.result());
});
