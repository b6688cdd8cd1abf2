import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, inject } from 'vitest';
import { loadConfig } from '../../../activities/shared/config.ts';
import { startOptions } from '../../../activities/shared/start-options.ts';
import type { WingRole } from '../../../activities/shared/wing-role.ts';
import { createMetrics } from '../../../activities/telemetry/metrics.ts';
import { showSchedules } from '../../../activities/telemetry/schedule-metrics.ts';
import type { RegisterCommands } from '../../../client/cli/commands.ts';
import { createProgram } from '../../../client/cli/program.ts';
import { chainOf, readProgress } from '../../../client/core/run-chain.ts';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { createKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { describeApi } from '../../../client/gateway/openapi.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { registerCatalogCommands } from '../../../client/cli/catalog/program.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { type AnyFlow, createRegistry, type FlowRegistry } from '../../../domain/shared/flow.ts';
import { flowTable } from '../../../domain/shared/flow-table.ts';
import { FLOWS_QUEUE } from '../../../domain/shared/queues.ts';
import { flowsWorker, openRoles } from '../../../workers/roles.ts';
import { groupOfSchedule, WING_ROLES } from '../../../workers/wings.ts';
import { workflowSources } from '../../../workers/workflow-sources.ts';
import { commandEnv } from '../../support/command.ts';
import { test } from '../../support/catalog/flows.ts';
import { openNamespace } from '../../support/impatient.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { samplesIn } from '../../support/scrape.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** All files of a wing with one flow. */
const WING: Readonly<Record<string, string>> = {
  'domain/flows.ts': `import { defineFlow } from '${root}domain/shared/flow.ts';
export const playFlow = defineFlow<{ readonly toy: string; readonly times?: number }, { readonly played: string[] }>()({
  type: 'playWithToy',
  input: (z) => z.strictObject({ toy: z.string().min(1), times: z.int().min(1).max(9).default(2) }),
  does: 'plays with a toy',
  examples: [{ toy: 'bear' }],
  startedBy: ['people', 'services'],
  id: ({ toy }) => 'toy/' + toy,
  question: ({ toy }) => toy,
  summary: ({ toy }) => 'play with ' + toy,
});
export const windUpFlow = defineFlow<{ readonly toy: string }, { readonly rounds: number }>()({
  type: 'windUpToy',
  input: (z) => z.looseObject({ toy: z.string().min(1) }),
  does: 'winds a toy up, in two runs',
  examples: [{ toy: 'train' }],
  startedBy: ['people'],
  id: ({ toy }) => 'wound/' + toy,
  question: ({ toy }) => toy,
  signals: { stop: (z) => z.undefined() },
});
export const toyFlows = [playFlow, windUpFlow];
`,
  'workflows/index.ts': `import { condition, continueAsNew, defineSignal, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import { checked } from '${root}workflows/shared/input.ts';
import { answerProgress } from '${root}workflows/shared/progress.ts';
import { playFlow, windUpFlow } from '../domain/flows.ts';
const { play } = proxyActivities<{ play(request: { toy: string; nth: number }): Promise<string> }>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
});
export async function playWithToy(input: unknown): Promise<{ played: string[] }> {
  const { toy, times } = await checked(playFlow, input);
  const played: string[] = [];
  for (let nth = 1; nth <= times; nth++) played.push(await play({ toy, nth }));
  return { played };
}
export async function windUpToy(input: unknown): Promise<{ rounds: number }> {
  const isFirst = workflowInfo().continuedFromExecutionRunId === undefined;
  let stopped = false;
  setHandler(defineSignal('stop'), () => { stopped = true; });
  answerProgress(() => ({ stage: 'winding', done: isFirst ? 0 : 1, total: 2, unit: 'rounds', lines: [], asks: null }));
  const { toy } = await checked(windUpFlow, input);
  if (isFirst) await continueAsNew({ toy });
  await condition(() => stopped);
  return { rounds: 2 };
}
`,
  'activities/roles.ts': `export const toyRoles = [{
  role: 'flows',
  open: async () => ({ activities: { play: async ({ toy, nth }) => toy + ' ' + nth } }),
}];
`,
  'client/program.ts': `export const registerToyCommands = ({ program, run, add }) => {
  add({
    printers: async () => new Map([['playWithToy', { print: ({ stdout }, { played }) => stdout.write(played.join(', ') + '\\n'), exitCode: () => 0 }]]),
    findProblems: async () => [{ name: 'toys', ok: true, found: 'all there', remedy: null }],
    status: { field: 'toys', read: async () => ({ value: { count: 2 }, text: '2 toys' }) },
  });
  program.command('toys').action(() => run({}, ({ stdout }) => {
    stdout.write('toys are here\\n');
    return 0;
  }));
};
`,
};

test('a new flow needs only its declaration for starter, watch, gateway, OpenAPI and input check, and a role for its activity', async ({
  flows: { estate },
  connections: { connection, native },
}) => {
  // a separate namespace: the worker of the toys polls the queue of all flows, which another one has in the shared namespace
  const namespace = `toys-${randomUUID()}`;
  await openNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const wing = mkdtempSync(join(root, '.cache', 'toy-wing-'));
  try {
    for (const [file, text] of Object.entries(WING)) {
      mkdirSync(join(wing, file, '..'), { recursive: true });
      writeFileSync(join(wing, file), text);
    }
    const load = async <Module>(file: string): Promise<Module> =>
      (await import(pathToFileURL(join(wing, file)).href)) as Module;
    const { playFlow, windUpFlow, toyFlows } = await load<{
      playFlow: AnyFlow;
      windUpFlow: AnyFlow;
      toyFlows: AnyFlow[];
    }>('domain/flows.ts');
    const { registerToyCommands } = await load<{ registerToyCommands: RegisterCommands }>('client/program.ts');
    const registry = createRegistry<AnyFlow>([...FLOWS.all, ...toyFlows]);
    const bundle = await bundleWorkflowCode({
      ...workflowSources(),
      workflowsPath: join(wing, 'workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    const { toyRoles } = await load<{ toyRoles: WingRole[] }>('activities/roles.ts');
    // the catalog's tools for `repos` stay closed
    const roles = await openRoles([...WING_ROLES.filter(({ role }) => role !== 'flows'), ...toyRoles], ['flows'], {
      loaded: loadConfig({ path: estate.configPath, env: {} }),
      env: {},
      client,
      registry: new Registry(),
      places: {
        weaviate: () => inject('stack').weaviate,
        ledger: () => {
          throw new Error('no ledger in this test');
        },
        modelFolder: () => Promise.resolve(''),
      },
      logger: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    });
    const work = roles.work.get('flows') ?? { activities: {} };
    const place = { connection: native, namespace };
    const worker = await Worker.create(flowsWorker(place, bundle, { work, flows: registry }));

    await worker.runUntil(async () => {
      const handle = await startDeclared(client, playFlow, { toy: 'bear' });
      expect(handle.workflowId).toBe('toy/bear');
      expect(await handle.result()).toEqual({ played: ['bear 1', 'bear 2'] });

      const io = memoryIo(commandEnv(estate, { TEMPORAL_NAMESPACE: namespace }));
      const commands = [registerCatalogCommands, registerToyCommands];
      const program = createProgram({ io, wings: commands, flows: registry });
      expect(await program.run(['watch', 'toy/bear', '--json'])).toBe(0);
      expect(JSON.parse(io.out())).toEqual({ workflowId: 'toy/bear', played: ['bear 1', 'bear 2'] });
      expect(await program.run(['toys'])).toBe(0);
      expect(io.out()).toContain('toys are here\n');
      expect(await program.run(['watch', 'toy/bear'])).toBe(0);
      // without any code for it in the flow
      expect(io.err()).toContain('done: 2/2 steps');

      const state = memoryIo(commandEnv(estate, { TEMPORAL_NAMESPACE: namespace }));
      await createProgram({ io: state, wings: commands }).run(['status', '--json']);
      expect(JSON.parse(state.out())).toMatchObject({ fleet: { repositories: [] }, toys: { count: 2 } });
      const health = memoryIo(commandEnv(estate, { TEMPORAL_NAMESPACE: namespace }));
      await createProgram({ io: health, wings: commands }).run(['doctor', '--json']);
      const { findings } = JSON.parse(health.out()) as { findings: { name: string }[] };
      expect(findings.map(({ name }) => name)).toEqual(expect.arrayContaining(['alerts', 'toys']));

      // a run that has continued as new is joined and followed, whichever of its runs is known
      const first = await startDeclared(client, windUpFlow, { toy: 'train' });
      const latest = client.workflow.getHandle('wound/train');
      await expect.poll(async () => (await latest.describe()).runId).not.toBe(first.firstExecutionRunId);
      const joined = await startDeclared(client, windUpFlow, { toy: 'train' });
      const known = [first, joined].map(({ firstExecutionRunId }) => firstExecutionRunId);
      for (const runId of known) {
        const chain = chainOf(client, await client.workflow.getHandle('wound/train', runId).describe());
        expect(chain).toMatchObject({ runId, firstRunId: first.firstExecutionRunId });
        await expect.poll(() => readProgress(chain)).toMatchObject({ stage: 'winding', done: 1, total: 2 });
      }
      const watching = program.run(['watch', 'wound/train', '--run-id', joined.firstExecutionRunId]);
      await expect.poll(() => io.err()).toContain('winding: 1/2 rounds');
      await latest.signal('stop');
      expect(await watching).toBe(0);
      expect(io.out()).toContain('"rounds": 2');
      expect(io.out()).toContain('bear 1, bear 2\n');
      // a program without the wing does not know the flow
      expect(await createProgram({ io, wings: [registerCatalogCommands] }).run(['watch', 'toy/bear'])).toBe(2);
      expect(io.err()).toContain('toy/bear is a run of playWithToy');

      const { key, id, hash } = createKey();
      const config = configSchema.parse({ gateway: { keys: [{ id, hash, name: 'ci', flows: ['playWithToy'] }] } });
      const tools = { config, env: {}, client, logger: pino({ level: 'silent' }), metrics: createGatewayMetrics() };
      await expect(createGateway(tools)).rejects.toMatchObject({ type: 'InvalidConfiguration' });
      const gateway = await createGateway({ ...tools, flows: registry });
      const headers = { authorization: `Bearer ${key}` };
      const url = '/v1/flows/playWithToy';
      const wrong = await gateway.inject({ method: 'POST', url, headers, payload: { toy: 'car', times: 10 } });
      expect(wrong.statusCode).toBe(422);
      const started = await gateway.inject({ method: 'POST', url, headers, payload: { toy: 'car', times: 1 } });
      expect(started.statusCode).toBe(202);
      expect(await client.workflow.getHandle('toy/car').result()).toEqual({ played: ['car 1'] });
      const run = await gateway.inject({ url: '/v1/runs/toy%2Fcar', headers });
      expect(run.json()).toMatchObject({ type: 'playWithToy', status: 'COMPLETED', result: { played: ['car 1'] } });
      const document = (await gateway.inject({ url: '/openapi.json' })).json<object>();
      expect(document).toMatchObject({
        paths: { '/v1/flows/playWithToy': { post: { description: 'plays with a toy' } } },
        components: { schemas: { playWithToyInput: { required: ['toy'] } } },
      });
      expect(Object.keys((describeApi(FLOWS) as { paths: object }).paths)).not.toContain('/v1/flows/playWithToy');
      await gateway.close();

      expect(flowTable(registry.all)).toContain(
        '| `playWithToy` | `{"toy": "bear"}` | people, services | plays with a toy |',
      );

      // its schedule is watched without being named anywhere
      const scheduleId = 'play-at-night';
      const schedule = await client.schedule.create({
        scheduleId,
        spec: { cronExpressions: ['0 3 * * *'] },
        action: {
          type: 'startWorkflow',
          workflowType: playFlow.type,
          ...startOptions(playFlow, { toy: 'owl', times: 1 }),
        },
      });
      const watched = async (flows: FlowRegistry): Promise<number | undefined> => {
        const metrics = createMetrics();
        const isOurs = (type: string): boolean => flows.find(type) !== null;
        showSchedules(metrics, client, { isOurs, groupOf: groupOfSchedule, freshForMs: 0 });
        return samplesIn(await metrics.text()).get(`longhaul_schedule_paused{schedule="${scheduleId}"}`);
      };
      await expect.poll(() => watched(registry)).toBe(0);
      expect(await watched(FLOWS)).toBeUndefined();
      await schedule.delete();

      // started directly with an invalid input, the flow itself rejects it
      const byHand = await client.workflow.start('playWithToy', {
        taskQueue: FLOWS_QUEUE,
        workflowId: 'toy/by-hand',
        args: [{ toy: 7 }],
      });
      await expect(byHand.result()).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    });
  } finally {
    rmSync(wing, { recursive: true, force: true });
  }
});

test('every flow that is started directly rejects an input that its schema does not accept', async ({ flows }) => {
  const { workflow } = flows.client;
  const rejected = FLOWS.all.map(async ({ type }) => {
    const workflowId = `by-hand/${type}`;
    const run = await workflow.start(type, { taskQueue: FLOWS_QUEUE, workflowId, args: [{ nonsense: true }] });
    await expect(run.result(), type).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
  });
  await Promise.all(rejected);
});
