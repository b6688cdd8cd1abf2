import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { signalRepository } from '../../../activities/catalog/follow.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { scrape } from '../../support/scrape.ts';
import { SECRET, startGatewayProcess } from '../../support/gateway.ts';
import { LANES, test, indexed, followed, runsOf, sumOf } from '../../support/catalog/webhooks.ts';

const DELIVERIES = fileURLToPath(new URL('../../support/deliveries-process.ts', import.meta.url));

describe('`longhaul gateway`', () => {
  test('a hundred deliveries a second for ten seconds: none is lost', async ({ flows }) => {
    const { estate, client, started } = flows;
    const repositories = Array.from({ length: 20 }, (_, n) => `acme/r${n}`);
    for (const name of repositories) await estate.create(name, { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const heads = new Map<string, string>();
    for (const name of repositories) heads.set(name, await estate.commit(name, { 'b.ts': `// ${name}\n` }));
    const webhook = { provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' };
    const gateway = await startGatewayProcess(estate, { webhooks: [webhook] });
    const { stdout } = await execa(process.execPath, [DELIVERIES, gateway.url, SECRET, '1000', '100', ...repositories]);
    const { accepted, took, seconds } = JSON.parse(stdout) as { accepted: number; took: number[]; seconds: number };
    const at = (share: number): number => Math.round(took[Math.floor(took.length * share)] ?? Number.NaN);
    started.push(['deliveries', (await client.workflow.getHandle('deliveries').describe()).runId]);
    let events = 0;
    for (const name of repositories) {
      await followed(flows, `local/${name}`);
      events += sumOf(await runsOf(flows, `local/${name}`), 'events');
    }
    console.info(`${took.length} deliveries in ${seconds.toFixed(1)} s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
    expect({ accepted, events }).toEqual({ accepted: 1_000, events: 1_000 });
    const samples = await scrape(gateway.metricsAddress);
    expect(samples.get('longhaul_gateway_deliveries_total{forge="github",result="taken"}')).toBe(1_000);
    expect(samples.get('longhaul_gateway_answers_total{route="/webhooks/github",status="202"}')).toBe(1_000);
    expect(samples.get('longhaul_gateway_answer_seconds_count{route="/webhooks/github"}')).toBe(1_000);
    expect(await (await fetch(`http://${gateway.metricsAddress}/readyz`)).json()).toEqual({
      ready: true,
      checks: ['gateway', 'temporal'].map((name) => ({ name, ok: true })),
    });
    for (const [name, commit] of heads) expect(await indexed(flows, `local/${name}`)).toBe(commit);
    const { exitCode, log } = await gateway.stop();
    expect(exitCode).toBe(0);
    expect(log).toContain('"gateway_stopped"');
    expect(log).not.toContain(SECRET);
  }, 240_000);
});

test('pushes at all moments of its work, its end and its restart: none is lost', async ({ flows }) => {
  const { estate, client } = flows;
  await estate.create('acme/busy', { 'a.ts': LANES });
  await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
  const follow = client.workflow.getHandle('follow/local/acme/busy');
  /** The number of events of the current run; infinite when it has ended. */
  const progress = async (): Promise<number> => {
    const { status, historyLength } = await follow.describe();
    return status.name === 'RUNNING' ? historyLength : Number.POSITIVE_INFINITY;
  };
  const runs = new Set<string>();
  let last = '';
  for (let n = 0; n < 60; n++) {
    if (n % 6 === 0) last = await estate.commit('acme/busy', { 'b.ts': `export const n = ${n};\n` });
    const event = { kind: 'pushed', delivery: `${n}` } as const;
    runs.add(
      (await signalRepository(client, { repository: 'local/acme/busy', quietSeconds: 0 }, [event])).signaledRunId,
    );
    // after every number of events up to seven, and now and then exactly when it ends
    const seen = await progress();
    if (n % 12 === 11) await followed(flows, 'local/acme/busy');
    else await expect.poll(progress, { interval: 5 }).toBeGreaterThanOrEqual(seen + (n % 8));
  }
  await followed(flows, 'local/acme/busy');
  expect(runs.size).toBeGreaterThanOrEqual(5);
  expect(sumOf(await runsOf(flows, 'local/acme/busy'), 'events')).toBe(60);
  expect(await indexed(flows, 'local/acme/busy')).toBe(last);
});
