import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openNetwork } from '../../../activities/shared/network.ts';
import { networkFindings } from '../../../client/cli/stack/network-findings.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

const config = configSchema.parse({
  providers: [
    { name: 'work', type: 'github' },
    { name: 'lab', type: 'gitlab', url: 'https://git.corp.example', apiUrl: 'https://api.corp.example/v4' },
    { name: 'tea', type: 'gitea', url: 'http://tea.example' },
    { name: 'local', type: 'local', root: '/srv' },
  ],
});

function findings(env: NodeJS.ProcessEnv, more: object = {}): Record<string, string> {
  const context = {
    ...memoryIo({}),
    env,
    config: { ...config, ...more },
    configPath: null,
    dataDir: '/data',
    cacheDir: '/cache',
  };
  return Object.fromEntries(networkFindings(context).map(({ name, ok, found }) => [name, `${ok} ${found}`]));
}

test('doctor shows the proxy of each forge, without its password', () => {
  expect(findings({})['proxy']).toBe('true none: no variable names one');
  expect(
    findings({ HTTPS_PROXY: 'http://me:secret@proxy.example:3128', no_proxy: 'git.corp.example,10.0.0.0/8' })['proxy'],
  ).toBe(
    'true work to github.com through http://proxy.example:3128, ' +
      'lab directly to git.corp.example and to api.corp.example through http://proxy.example:3128, tea directly to tea.example',
  );
});

test('doctor shows the proxy of the bucket and of the collector', () => {
  const blobs = (blob: object): object => ({
    providers: [],
    blobs: configSchema.parse({ blobs: { type: 's3', ...blob } }).blobs,
  });
  const env = {
    https_proxy: 'http://me:secret@proxy.example:3128',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
  };
  expect(findings(env, blobs({ bucket: 'ours', region: 'eu-central-1' }))['proxy']).toBe(
    'true blobs to s3.eu-central-1.amazonaws.com through http://proxy.example:3128, traces directly to 127.0.0.1:4318',
  );
  const elsewhere = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/v1/traces' };
  expect(findings(elsewhere, blobs({ bucket: 'ours', endpoint: 'https://127.0.0.1:9000' }))['proxy']).toBe(
    'true blobs directly to 127.0.0.1:9000, traces to traces.example through http://proxy.example:3128',
  );
});

test('doctor names a file of authorities that has none', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'ca.pem');
  writeFileSync(file, 'not a certificate');
  const env = { NODE_EXTRA_CA_CERTS: file, GIT_SSL_CAINFO: join(folder, 'missing.pem') };
  await openNetwork({ config, cacheDir: folder, env });
  expect(findings(env)['certificate authorities']).toBe(
    `false ${file}, ${join(folder, 'missing.pem')} cannot be read, or has no certificate`,
  );
  // git itself reports its own
  expect(env.GIT_SSL_CAINFO).toBe(join(folder, 'missing.pem'));
});
