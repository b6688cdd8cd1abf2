import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { otherUsers } from '../../../client/cli/stack/other-users.ts';
import type { ServerSource } from '../../../stack/state.ts';
import { yourTemporal } from '../../../stack/temporal-connection.ts';

const ADDRESS = 'temporal.acme.example:7233';

async function found(env: NodeJS.ProcessEnv | null, source: ServerSource, weaviateSource: ServerSource) {
  const target = env === null ? null : await yourTemporal({ address: ADDRESS }, env);
  const temporal = { address: ADDRESS, uiUrl: null, namespace: 'default', source, version: '1' };
  const weaviate = { url: 'http://127.0.0.1:1', grpc: '127.0.0.1:2', source: weaviateSource, version: '1' };
  const finding = otherUsers({ temporal, weaviate }, target);
  expect(finding.ok).toBe(true);
  return finding.found;
}

test('servers that the stack started can be used by other users of the machine', async () => {
  expect(await found(null, 'fetched', 'installed')).toMatch(
    /^of this machine can start flows \(Temporal has no login\) and delete collections \(.*Raft port.*\): docs/,
  );
});

test('a Temporal of your own is named with what it is called with', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-certificates-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [certificate, key] = [join(folder, 'client.pem'), join(folder, 'client.key')];
  for (const file of [certificate, key]) writeFileSync(file, 'certificate or key');
  const mutual = { TEMPORAL_TLS_CLIENT_CERT_PATH: certificate, TEMPORAL_TLS_CLIENT_KEY_PATH: key };
  expect(await found(mutual, 'yours', 'yours')).toMatch(
    /^of this machine can use nothing that the stack started; Temporal at temporal\.acme\.example:7233 is called with a client certificate: docs/,
  );
  const keyed = await found({ TEMPORAL_API_KEY: 'not-to-be-shown' }, 'yours', 'fetched');
  expect(keyed).toMatch(/^of this machine can delete collections .*; Temporal at .* is called with an API key: docs/);
  expect(keyed).not.toContain('start flows');
  expect(keyed).not.toContain('not-to-be-shown');
});

test.each([{}, { TEMPORAL_TLS: 'true' }])(
  'a Temporal of your own that is called without a login can be used where it is reached: %j',
  async (env) => {
    expect(await found(env, 'yours', 'yours')).toMatch(
      /^of this machine can start flows if they reach temporal\.acme\.example:7233 \(it is called without a certificate or key\): docs/,
    );
  },
);
