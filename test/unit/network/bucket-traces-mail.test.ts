import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { startOtlpCollector } from '../../support/otlp-collector.ts';
import { makeAuthority } from '../../support/private-authority.ts';
import { startProxyServer } from '../../support/proxy-server.ts';
import { S3_BUILD_MS, startS3Server } from '../../support/s3-server.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { startTlsRelay } from '../../support/tls-relay.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Runs a script in a process whose network was opened. It gets `options`, `env` and `folder`, and prints. */
async function run(script: string, options: object, env: Record<string, string>): Promise<string> {
  const folder = scratchFolder();
  const opened = `
    import { openNetwork } from '${ROOT}/activities/shared/network.ts';
    import { configSchema } from '${ROOT}/domain/config/config.schema.ts';
    const { env } = process;
    const options = ${JSON.stringify(options)};
    const folder = ${JSON.stringify(folder)};
    await openNetwork({ config: configSchema.parse({}), cacheDir: folder, env });
  `;
  const { stdout } = await execa(process.execPath, ['--input-type=module-typescript', '-e', opened + script], {
    env: { ...COMPILE_CACHE, PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    extendEnv: false,
    cwd: folder,
  });
  return stdout;
}

/** Stores 5 MB in a bucket, reads them again, and lists what is there. */
const USE_BUCKET = `
  const { createBlobStore } = await import('${ROOT}/activities/blobs/blob-store.ts');
  const { createS3Objects } = await import('${ROOT}/activities/blobs/s3-objects.ts');
  const blobs = createBlobStore(createS3Objects(options, env), folder);
  const { digest } = await blobs.put([Buffer.alloc(5_000_000, 'x')]);
  let size = 0;
  for await (const bytes of await blobs.open(digest)) size += bytes.length;
  await blobs.putRecord('note', Buffer.from('n'));
  const names = [];
  for await (const name of blobs.listRecords('')) names.push(name);
  console.log(size, names.join());
`;

test(
  'a bucket is reached through the proxy, over TLS with the authority of the environment',
  async () => {
    const bucket = await startS3Server();
    onTestFinished(() => bucket.dispose());
    const authority = makeAuthority(scratchFolder(), ['bucket.test']);
    const port = Number(new URL(bucket.blobs.endpoint ?? '').port);
    const tlsPort = await startTlsRelay(authority, port);
    const proxy = await startProxyServer({ port, tlsPort });
    const used = '5000000 note';

    const env = { ...bucket.env, HTTP_PROXY: proxy.url.replace('//', '//me:pass@') };
    expect(await run(USE_BUCKET, { ...bucket.blobs, endpoint: 'http://bucket.test' }, env)).toBe(used);
    expect(proxy.log).toContainEqual(
      expect.stringMatching(/^PUT http:\/\/bucket\.test\/longhaul-blobs\/team\/sha256\//),
    );
    expect(proxy.log).toContainEqual(
      expect.stringMatching(/^GET http:\/\/bucket\.test\/longhaul-blobs\/team\/sha256\//),
    );
    expect(new Set(proxy.credentials)).toEqual(new Set([`Basic ${Buffer.from('me:pass').toString('base64')}`]));

    proxy.log.length = 0;
    const secure = { ...bucket.env, https_proxy: proxy.url, GIT_SSL_CAINFO: authority.file };
    expect(await run(USE_BUCKET, { ...bucket.blobs, endpoint: 'https://bucket.test' }, secure)).toBe(used);
    expect(new Set(proxy.log)).toEqual(new Set(['CONNECT bucket.test:443']));

    // on this machine, and excepted
    proxy.log.length = 0;
    expect(await run(USE_BUCKET, bucket.blobs, env)).toBe(used);
    const excepted = { ...secure, no_proxy: '127.0.0.1' };
    expect(await run(USE_BUCKET, { ...bucket.blobs, endpoint: `https://127.0.0.1:${tlsPort}` }, excepted)).toBe(used);
    expect(proxy.log).toEqual([]);
  },
  S3_BUILD_MS,
);

const SEND_SPAN = `
  const { startTracing } = await import('${ROOT}/activities/telemetry/tracing.ts');
  const { trace } = await import('${ROOT}/node_modules/@opentelemetry/api/build/src/index.js');
  const tracing = await startTracing(env, { service: 'test', onProblem: (message) => console.log(message) });
  trace.getTracer('test').startSpan(options.name).end();
  await tracing.close();
`;

test('traces are sent through the proxy, over TLS with the authority of the environment', async () => {
  const collector = await startOtlpCollector();
  onTestFinished(() => collector.close());
  const authority = makeAuthority(scratchFolder(), ['collector.test']);
  const port = Number(new URL(collector.url).port);
  const proxy = await startProxyServer({ port, tlsPort: await startTlsRelay(authority, port) });
  const names = (): string[] => collector.spans.map(({ name }) => name);

  const plain = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.test:4318', http_proxy: proxy.url };
  expect(await run(SEND_SPAN, { name: 'plain' }, plain)).toBe('');
  expect(proxy.log).toEqual(['POST http://collector.test:4318/v1/traces']);
  const secure = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.test/v1/traces',
    HTTPS_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: authority.file,
  };
  expect(await run(SEND_SPAN, { name: 'secure' }, secure)).toBe('');
  expect(proxy.log.slice(1)).toEqual(['CONNECT collector.test:443']);
  expect(await run(SEND_SPAN, { name: 'here' }, { ...plain, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toBe('');
  expect(proxy.log).toHaveLength(2);
  expect(names()).toEqual(['plain', 'secure', 'here']);
});

const SEND_MAIL = `
  const { send } = await import('${ROOT}/activities/alerts/channels.ts');
  const channel = { name: 'mail', type: 'email', smtpUrlEnv: 'SMTP_URL', from: 'a@example.com', to: ['b@example.com'] };
  const message = { id: 'm1', body: {}, text: 'no alerts' };
  await send(channel, message, env, new AbortController().signal).then(
    () => console.log('sent'),
    ({ type, message }) => console.log(type, message),
  );
`;

test('mail is sent through the proxy that smtp_proxy or all_proxy names', async () => {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      mails.push(session.envelope.rcptTo.map(({ address }) => address).join());
      stream.on('end', () => done()).resume();
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  const proxy = await startProxyServer({ port });
  const mail = (env: Record<string, string>): Promise<string> => run(SEND_MAIL, {}, env);

  expect(await mail({ SMTP_URL: 'smtp://mail.test', all_proxy: proxy.url.replace('//', '//me:pass%20word@') })).toBe(
    'sent',
  );
  expect(await mail({ SMTP_URL: 'smtp://mail.test:2525', smtp_proxy: proxy.url })).toBe('sent');
  expect(proxy.log).toEqual(['CONNECT mail.test:587', 'CONNECT mail.test:2525']);
  expect(proxy.credentials[0]).toBe(`Basic ${Buffer.from('me:pass word').toString('base64')}`);
  expect(mails).toEqual(['b@example.com', 'b@example.com']);

  expect(await mail({ SMTP_URL: `smtp://127.0.0.1:${port}`, all_proxy: proxy.url })).toBe('sent');
  // as curl: the proxy of http is not for mail
  expect(await mail({ SMTP_URL: `smtp://127.0.0.1:${port}`, http_proxy: proxy.url })).toBe('sent');
  expect(proxy.log).toHaveLength(2);
  expect(await mail({ SMTP_URL: 'smtp://mail.test', all_proxy: 'socks5://user:secret@proxy.test' })).toBe(
    'InvalidConfiguration Mail cannot be sent through the proxy socks5://proxy.test:1080: name one with http:// in smtp_proxy, or except mail.test in no_proxy.',
  );
});
