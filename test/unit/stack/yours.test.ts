import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureSecret, readSecret } from '../../../stack/secret.ts';
import { NO_STATE, readState, writeState } from '../../../stack/state.ts';
import { yourTemporal } from '../../../stack/temporal-connection.ts';
import { yourWeaviate } from '../../../stack/weaviate-connection.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-yours-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function withProfiles(): NodeJS.ProcessEnv {
  const file = join(folder, 'temporal.toml');
  writeFileSync(
    file,
    '[profile.cloud]\naddress = "cloud.example:7233"\nnamespace = "estate"\napi_key = "k"\n[profile.default]\nnamespace = "home"\n',
  );
  return { TEMPORAL_CONFIG_FILE: file };
}

test('Temporal: without settings there is no server of yours', async () => {
  expect(await yourTemporal({}, { TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') })).toBeNull();
});

test('Temporal: a profile has address, namespace and key; the environment takes precedence', async () => {
  const env = withProfiles();
  expect(await yourTemporal({ profile: 'cloud' }, env)).toMatchObject({
    connectionOptions: { address: 'cloud.example:7233', apiKey: 'k' },
    namespace: 'estate',
  });
  const overridden = { ...env, TEMPORAL_ADDRESS: 'here:1', TEMPORAL_NAMESPACE: 'mine' };
  expect(await yourTemporal({ profile: 'cloud' }, overridden)).toMatchObject({
    connectionOptions: { address: 'here:1' },
    namespace: 'mine',
  });
});

test('Temporal: longhaul.yaml applies where neither environment nor profile does', async () => {
  expect(await yourTemporal({ address: 'yaml:7233' }, withProfiles())).toMatchObject({
    connectionOptions: { address: 'yaml:7233' },
    namespace: 'home',
  });
});

test('Temporal: an unknown profile is reported by name', async () => {
  await expect(yourTemporal({ profile: 'clowd' }, withProfiles())).rejects.toThrow(/clowd.*Correct/);
});

test('Weaviate: the gRPC endpoint follows the URL unless it is given', () => {
  expect(yourWeaviate({}, {})).toBeNull();
  expect(yourWeaviate({ url: 'http://w:8080/' }, { WEAVIATE_API_KEY: 'k' })).toEqual({
    url: 'http://w:8080',
    grpc: 'w:50051',
    apiKey: 'k',
  });
  expect(yourWeaviate({ apiKeyEnv: 'K' }, { WEAVIATE_URL: 'https://w', K: 'x' })?.grpc).toBe('w:443');
  expect(yourWeaviate({ url: 'http://w' }, { WEAVIATE_GRPC: 'g:1' })?.grpc).toBe('g:1');
  expect(() => yourWeaviate({}, { WEAVIATE_URL: 'weaviate' })).toThrow(/WEAVIATE_URL/);
});

test('a secret stays the same, random and for its owner only', () => {
  const file = join(folder, 'key');
  expect(readSecret(file)).toBeNull();
  const secret = ensureSecret(file);
  expect(secret).toHaveLength(43);
  expect(ensureSecret(file)).toBe(secret);
  expect(ensureSecret(join(folder, 'other'))).not.toBe(secret);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the state is written as a whole, for its owner only; an invalid state is rejected', () => {
  expect(readState(folder)).toEqual(NO_STATE);
  writeState(folder, { ...NO_STATE, ports: { temporal: 1 } });
  expect(readState(folder).ports).toEqual({ temporal: 1 });
  expect(statSync(join(folder, 'stack.json')).mode & 0o777).toBe(0o600);
  writeFileSync(join(folder, 'stack.json'), '{"version":1');
  expect(() => readState(folder)).toThrow(/is not JSON/);
  writeFileSync(join(folder, 'stack.json'), '{"version":9}');
  expect(() => readState(folder)).toThrow(/another version/);
});
