import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { SMTPServer } from 'smtp-server';
import { expect, inject, onTestFinished, test } from 'vitest';
import { watchScheduleId } from '../../activities/alerts/schedule.ts';
import { createGroupSchedules } from '../../activities/groups/schedules.ts';
import { startFlow } from '../../client/flows.ts';
import { createEstate } from '../support/estate.ts';
import { NAMESPACE } from '../support/namespace.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

const SECRET = 'It is a secret to everybody';
const WAIT = { timeout: 120_000, interval: 500 };

/** A server that takes whatever is posted to it, and refuses the first message. */
async function startReceiver(): Promise<{ url: string; posted: { path: string; body: string; signature: unknown }[] }> {
  const posted: { path: string; body: string; signature: unknown }[] = [];
  let isFirst = true;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      response.statusCode = isFirst ? 503 : 200;
      if (!isFirst) {
        const signature = request.headers['x-longhaul-signature-256'];
        posted.push({ path: request.url ?? '', body: body.toString(), signature });
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

/** A mail server that lets everybody in. */
async function startMailServer(): Promise<{ url: string; mails: string[] }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      void text(stream).then((mail) => {
        mails.push(mail);
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, mails };
}

test('a group that fails is told to every channel once, and once more when it is well again', async () => {
  const [receiver, mail, estate] = await Promise.all([startReceiver(), startMailServer(), createEstate()]);
  onTestFinished(() => estate.dispose());
  await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as object;
  const channels = [
    { name: 'hook', type: 'webhook', urlEnv: 'HOOK_URL', secretEnv: 'HOOK_SECRET' },
    { name: 'chat', type: 'slack', urlEnv: 'CHAT_URL' },
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
  const look = (): Promise<void> => client.schedule.getHandle(watchScheduleId(estate.indexName)).trigger();
  await runGroup();

  const ref = join(estate.gitDir('acme/api'), 'refs/heads/main');
  const head = await readFile(ref);
  await writeFile(ref, 'no commit\n');
  await runGroup();
  await look();
  // the chat and the hook: one of them was refused at first
  await expect.poll(() => receiver.posted.length, WAIT).toBe(2);
  await expect.poll(() => mail.mails.length, WAIT).toBe(1);
  const hook = receiver.posted.find(({ path }) => path === '/hook');
  const news = JSON.parse(hook?.body ?? '{}') as object;
  expect(news).toMatchObject({
    index: estate.indexName,
    raised: [{ kind: 'group-failed', about: 'services', text: expect.stringContaining('local/acme/api') as string }],
    settled: [],
  });
  const signature = createHmac('sha256', SECRET)
    .update(hook?.body ?? '')
    .digest('hex');
  expect(hook?.signature).toBe(`sha256=${signature}`);
  const chat = JSON.parse(receiver.posted.find(({ path }) => path === '/chat')?.body ?? '{}') as { text: string };
  expect(chat.text).toMatch(
    /^Longhaul \w+: 1 alerts, 0 settled\nALERT 1 repositories of the sync group services failed/,
  );
  expect(mail.mails[0]).toMatch(/^To: team@example\.com\r$/m);
  // without the soft line breaks of quoted-printable
  expect(mail.mails[0]?.replaceAll('=\r\n', '')).toContain('ALERT 1 repositories of the sync group services failed');

  await writeFile(ref, head);
  await runGroup();
  await look();
  await expect.poll(() => receiver.posted.length, WAIT).toBe(4);
  await expect.poll(() => mail.mails.length, WAIT).toBe(2);
  expect(
    receiver.posted.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body) as object),
  ).toMatchObject([{}, { raised: [], settled: [{ kind: 'group-failed', about: 'services' }] }]);
  expect(worker.log()).not.toContain(SECRET);
});
