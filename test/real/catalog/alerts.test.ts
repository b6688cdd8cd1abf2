import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { SMTPServer } from 'smtp-server';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { AlertMessage } from '../../../activities/catalog/alerts/message.ts';
import { hasCheckFailed, watchScheduleId } from '../../../activities/catalog/alerts/schedule.ts';
import { createGroupSchedules } from '../../../activities/catalog/groups/schedules.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createMetrics } from '../../../activities/telemetry/metrics.ts';
import { showAlerts, showSchedules } from '../../../activities/telemetry/schedule-metrics.ts';
import { alertsFinding } from '../../../client/cli/catalog/alerts-finding.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { createEstate } from '../../support/estate.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { samplesIn } from '../../support/scrape.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

const SECRET = 'It is a secret to everybody';
const WAIT = { timeout: 120_000, interval: 500 };
/** Temporal's lists lag a moment behind, so checks are retried. */
const LOOK_AGAIN = { timeout: 120_000, interval: 5_000 };

/** A server that records every POST, and refuses the first one. */
async function startReceiver(): Promise<{ url: string; posted: { path: string; body: string; signature: unknown }[] }> {
  const posted: { path: string; body: string; signature: unknown }[] = [];
  let isFirst = true;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      response.statusCode = isFirst ? 503 : 200;
      if (!isFirst) {
        const signature = request.headers['x-longhaul-signature-256'];
        posted.push({ path: request.url ?? '', body: Buffer.concat(pieces).toString(), signature });
      }
      isFirst = false;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted };
}

/** A mail server without authentication. */
async function startMailServer(): Promise<{ url: string; mails: string[] }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        mails.push(Buffer.concat(pieces).toString());
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, mails };
}

test('every channel is notified once when a group fails, and once when it recovers', async () => {
  const [receiver, mail, estate] = await Promise.all([startReceiver(), startMailServer(), createEstate()]);
  onTestFinished(() => estate.dispose());
  await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as object;
  const channels = [
    { name: 'hook', type: 'webhook', urlEnv: 'HOOK_URL', secretEnv: 'HOOK_SECRET' },
    { name: 'chat', type: 'slack', urlEnv: 'CHAT_URL' },
    { name: 'lost', type: 'webhook', urlEnv: 'LOST_URL' },
    { name: 'mail', type: 'email', smtpUrlEnv: 'SMTP_URL', from: 'longhaul@example.com', to: ['team@example.com'] },
  ];
  await writeFile(estate.configPath, JSON.stringify({ ...config, alerts: { channels } }));
  const connection = await Connection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  const client = new Client({ connection, namespace: NAMESPACE });
  const env = {
    HOOK_URL: `${receiver.url}/hook`,
    HOOK_SECRET: SECRET,
    CHAT_URL: `${receiver.url}/chat`,
    SMTP_URL: mail.url,
  };
  const worker = await startWorkerProcess(estate, { env });
  onTestFinished(() => worker.stop());
  let next: WorkerProcess | null = null;
  onTestFinished(() => next?.stop());

  const groups = [{ name: 'services', schedule: '0 3 * * *', patterns: ['acme/*'] }];
  const apply = async (declared: readonly object[]): Promise<unknown> =>
    (
      await startFlow(client, 'applySyncGroups', {
        document: JSON.stringify({ version: 1, groups: declared }),
        source: { file: 'sync-groups.yaml', commit: null, by: 'alice' },
        prune: true,
      })
    ).result();
  await apply(groups);
  onTestFinished(async () => void (await apply([])));
  const schedules = createGroupSchedules(client, estate.indexName);
  const runGroup = async (): Promise<unknown> => client.workflow.getHandle(await schedules.run('services')).result();
  await runGroup();
  const hooked = (): AlertMessage[] =>
    receiver.posted.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body) as AlertMessage);
  const afterLook = async (isWanted: (message: AlertMessage) => boolean): Promise<AlertMessage[]> => {
    await client.schedule.getHandle(watchScheduleId(estate.indexName)).trigger();
    return hooked().filter(isWanted);
  };
  const chatted = (): string =>
    receiver.posted
      .filter(({ path }) => path === '/chat')
      .map(({ body }) => (JSON.parse(body) as { text: string }).text)
      .join('\n');

  const ref = join(estate.gitDir('acme/api'), 'refs/heads/main');
  const head = await readFile(ref);
  await writeFile(ref, 'no commit\n');
  await runGroup();
  const failed = (message: AlertMessage): boolean => message.raised.some(({ kind }) => kind === 'group-failed');
  await expect.poll(() => afterLook(failed), LOOK_AGAIN).toHaveLength(1);
  expect(hooked().find(failed)).toMatchObject({
    index: estate.indexName,
    raised: [{ kind: 'group-failed', about: 'services', text: expect.stringContaining('local/acme/api') as string }],
  });
  for (const { body, signature } of receiver.posted.filter(({ path }) => path === '/hook')) {
    expect(signature).toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`);
  }
  const told = 'ALERT 1 repositories of the sync group services failed';
  await expect.poll(chatted, WAIT).toContain(told);
  await expect.poll(() => mail.mails.join(), WAIT).toMatch(/^To: team@example\.com\r$/m);
  // without the soft line breaks of quoted-printable
  expect(mail.mails.join().replaceAll('=\r\n', '')).toContain(told);

  // a failing channel fails the check, and the next check does not notify the others again
  const watch = client.schedule.getHandle(watchScheduleId(estate.indexName));
  const looks = async (): Promise<number> => (await watch.describe()).info.numActionsTaken;
  for (const before of [await looks(), (await looks()) + 1]) {
    await expect.poll(async () => (await watch.trigger(), looks()), LOOK_AGAIN).toBeGreaterThan(before);
  }
  await expect.poll(async () => (await watch.describe()).info.runningActions, WAIT).toEqual([]);
  const [latest] = (await watch.describe()).info.recentActions.slice(-1);
  await expect(client.workflow.getHandle(latest?.action.workflow.workflowId ?? '').result()).rejects.toMatchObject({
    cause: { type: 'InvalidConfiguration', message: expect.stringContaining('LOST_URL') as string },
  });
  expect(hooked().filter(failed)).toHaveLength(1);
  // the failure is visible in Prometheus and in `longhaul doctor`
  const metrics = createMetrics();
  showSchedules(metrics, client, { isOurs: (type) => type === 'watchFleet', groupOf: () => null, freshForMs: 0 });
  showAlerts(metrics.registry, client, {
    schedule: watch.scheduleId,
    channels: channels.length,
    hasFailed: () => hasCheckFailed(client, estate.indexName),
    freshForMs: 0,
  });
  const gauge = async (name: string): Promise<number | undefined> =>
    samplesIn(await metrics.text()).get(`${name}{schedule="${watch.scheduleId}"}`);
  const loaded = loadConfig({ path: estate.configPath, env: {} });
  await expect.poll(() => gauge('longhaul_alerts_last_check_failed'), WAIT).toBe(1);
  const started = (await watch.describe()).info.recentActions.at(-1)?.takenAt.getTime();
  expect(await gauge('longhaul_schedule_last_run_timestamp_seconds')).toBe((started ?? 0) / 1_000);
  expect(await alertsFinding(loaded, client)).toMatchObject({
    ok: false,
    found: expect.stringMatching(/^the last check failed: .*LOST_URL/) as string,
  });

  await writeFile(ref, head);
  await runGroup();
  const well = (message: AlertMessage): boolean => message.settled.some(({ kind }) => kind === 'group-failed');
  await expect.poll(() => afterLook(well), LOOK_AGAIN).toHaveLength(1);
  await expect.poll(chatted, WAIT).toContain('resolved: 1 repositories of the sync group services failed');
  expect(hooked().filter(failed)).toHaveLength(1);
  expect(worker.log()).not.toContain(SECRET);

  // and gets everything as soon as it works again
  await worker.stop();
  next = await startWorkerProcess(estate, { env: { ...env, LOST_URL: `${receiver.url}/lost` } });
  const found = (): AlertMessage[] =>
    receiver.posted.filter(({ path }) => path === '/lost').map(({ body }) => JSON.parse(body) as AlertMessage);
  await expect.poll(async () => (await watch.trigger(), found().length), LOOK_AGAIN).toBeGreaterThan(0);
  const [{ raised, settled }] = found() as [AlertMessage];
  expect([raised, settled].map((alerts) => alerts.map(({ kind, about }) => `${kind} ${about}`))).toEqual([
    ['group-failed services'],
    ['group-failed services'],
  ]);
  expect(hooked().filter(failed)).toHaveLength(1);
  await expect.poll(() => gauge('longhaul_alerts_last_check_failed'), WAIT).toBe(0);
  expect(await alertsFinding(loaded, client)).toMatchObject({
    ok: true,
    found: expect.stringMatching(/^hook, chat, lost, mail; checked at /) as string,
  });
});
