import { expect, test } from 'vitest';
import {
  askRegistries,
  type AskRegistriesOptions,
  type RegistryAnswers,
} from '../../../../activities/workspace/registries/ask-registries.ts';
import { registryAddresses } from '../../../../activities/workspace/registries/registry-addresses.ts';
import type { Ecosystem } from '../../../../domain/workspace/package-manifest.ts';
import { scratchFolder } from '../../../support/scratch-git.ts';
import { registryServer } from '../../../support/workspace/registry-server.ts';
import { madeSnapshot } from '../../../support/workspace/snapshots.ts';

/** The variables that name one address for all registries. */
const allAt = (url: string): NodeJS.ProcessEnv => ({
  npm_config_registry: url,
  PIP_INDEX_URL: url,
  GOPROXY: `${url},direct`,
  CARGO_REGISTRIES_CRATES_IO_INDEX: `sparse+${url}/`,
  HEX_API_URL: url,
});

/** Asks for packages of one ecosystem. Waits are noted, and not made. */
async function ask(
  url: string,
  ecosystem: Ecosystem,
  names: readonly string[],
  options: Partial<AskRegistriesOptions> = {},
): Promise<RegistryAnswers & { readonly waits: readonly number[] }> {
  const snapshot = madeSnapshot(
    names.map((name, at) => ({ name: `r${at}`, packages: [{ name }] })),
    { ecosystem },
  );
  const waits: number[] = [];
  const pause = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  const answers = await askRegistries(snapshot, { env: allAt(url), cacheDir: scratchFolder(), pause, ...options });
  return { ...answers, waits };
}

const NPM_BODY = {
  name: 'a',
  'dist-tags': { latest: '2.0.0' },
  versions: { '1.0.0': { deprecated: 'has a leak' }, '1.1.0': { deprecated: '' }, '2.0.0': {} },
};

test('npm: versions, the latest one, and deprecated versions; a scope is one segment of the path', async () => {
  const { url, requests } = await registryServer((path, response) => {
    if (path === '/@acme%2fcore') response.end(JSON.stringify(NPM_BODY));
    else if (path === '/old') {
      const versions = { '1.0.0': { deprecated: true }, '2.0.0': { deprecated: 'use new\n\u001b[31m' } };
      response.end(JSON.stringify({ 'dist-tags': { latest: '2.0.0' }, versions }));
    } else response.writeHead(404).end('{}');
  });
  const { states, sources } = await ask(url, 'npm', ['@acme/core', 'old', 'private-thing']);
  expect(states.npm?.packages).toEqual([
    {
      name: '@acme/core',
      latest: '2.0.0',
      versions: ['1.0.0', '1.1.0', '2.0.0'],
      deprecated: null,
      retired: [{ version: '1.0.0', why: 'has a leak' }],
    },
    {
      name: 'old',
      latest: '2.0.0',
      versions: ['1.0.0', '2.0.0'],
      deprecated: 'use new [31m',
      retired: [
        { version: '1.0.0', why: '' },
        { version: '2.0.0', why: 'use new [31m' },
      ],
    },
  ]);
  expect(sources).toEqual([{ source: 'npm', asked: 3, found: 2, problem: null }]);
  expect(states).toMatchObject({ pypi: null, go: null, crates: null, hex: null });
  expect(requests[0]?.headers.accept).toBe('application/vnd.npm.install-v1+json');
});

test('PyPI: yanked versions, pre-releases, and projects that have ended', async () => {
  const { url } = await registryServer((path, response) => {
    expect(path).toBe('/acme-core/');
    const files = [
      { filename: 'acme_core-1.0-py3-none-any.whl', yanked: false },
      { filename: 'acme-core-1.1.tar.gz', yanked: 'breaks pip' },
      { filename: 'acme_core-1.1-py3-none-any.whl', yanked: true },
      { filename: 'acme-core-1.2.tar.gz', yanked: true },
      { filename: 'acme_core-1.2-py3-none-any.whl', yanked: false },
      { filename: 'acme-core-2.0rc1.tar.gz' },
    ];
    const status = { status: 'archived', reason: 'use other' };
    response.end(JSON.stringify({ versions: ['1.0', '1.1', '1.2', '2.0rc1'], files, 'project-status': status }));
  });
  const { states } = await ask(url, 'python', ['Acme_Core']);
  expect(states.pypi?.packages).toEqual([
    {
      name: 'Acme_Core',
      latest: '1.2',
      versions: ['1.0', '1.1', '1.2', '2.0rc1'],
      deprecated: 'archived: use other',
      retired: [{ version: '1.1', why: 'breaks pip' }],
    },
  ]);
});

test('Go: the order of versions, retracted ones, and a deprecated module', async () => {
  const mod = [
    '// Deprecated: use example.com/Other',
    'module example.com/Acme',
    'retract v1.3.0 // published by accident',
    'retract (',
    '  // broken on arm',
    '  [v1.0.0, v1.1.0]',
    ')',
    '',
  ].join('\n');
  const { url, requests } = await registryServer((path, response) => {
    if (path === '/example.com/!acme/@v/list')
      response.end('v1.10.0-rc.1\nv1.2.0\nv1.1.0\nv1.3.0\n\nnonsense\nv1.0.0\n');
    else if (path === '/example.com/!acme/@v/v1.3.0.mod') response.end(mod);
    else response.writeHead(410).end('gone');
  });
  const { states, sources } = await ask(url, 'go', ['example.com/Acme', 'example.com/private']);
  expect(states.go?.packages).toEqual([
    {
      name: 'example.com/Acme',
      latest: 'v1.2.0',
      versions: ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0', 'v1.10.0-rc.1'],
      deprecated: 'use example.com/Other',
      retired: [
        { version: 'v1.0.0', why: 'broken on arm' },
        { version: 'v1.1.0', why: 'broken on arm' },
        { version: 'v1.3.0', why: 'published by accident' },
      ],
    },
  ]);
  expect(sources).toEqual([{ source: 'go', asked: 2, found: 1, problem: null }]);
  expect(requests).toHaveLength(3);
});

test('crates: yanked versions; folders by the length of a name', async () => {
  const { url, requests } = await registryServer((_path, response) =>
    response.end('{"vers":"1.0.0"}\n{"vers":"1.2.0","yanked":true}\n{"vers":"1.10.0-rc.1","yanked":false}\n'),
  );
  const { states } = await ask(url, 'cargo', ['Serde', 'log', 'cc', 'a']);
  expect(requests.map(({ path }) => path).toSorted()).toEqual(['/1/a', '/2/cc', '/3/l/log', '/se/rd/serde']);
  expect(states.crates?.packages[0]).toEqual({
    name: 'Serde',
    latest: '1.0.0',
    versions: ['1.0.0', '1.2.0', '1.10.0-rc.1'],
    deprecated: null,
    retired: [{ version: '1.2.0', why: 'yanked' }],
  });
});

test('Hex: retirements', async () => {
  const { url } = await registryServer((path, response) => {
    expect(path).toBe('/packages/jason');
    const retirements = { '1.0.0': { reason: 'security', message: 'CVE' }, '1.0.1': { reason: 'invalid' } };
    const releases = ['1.4.4', '1.0.1', '1.0.0'].map((version) => ({ version, url: 'x' }));
    response.end(JSON.stringify({ name: 'jason', latest_stable_version: '1.4.4', releases, retirements }));
  });
  const { states } = await ask(url, 'hex', ['jason']);
  expect(states.hex?.packages).toEqual([
    {
      name: 'jason',
      latest: '1.4.4',
      versions: ['1.4.4', '1.0.1', '1.0.0'],
      deprecated: null,
      retired: [
        { version: '1.0.0', why: 'security: CVE' },
        { version: '1.0.1', why: 'invalid' },
      ],
    },
  ]);
});

test('a failure that passes is tried again, as long as the registry asks for', async () => {
  let asked = 0;
  const { url } = await registryServer((_path, response) => {
    asked += 1;
    if (asked === 1) response.destroy();
    else if (asked === 2) response.writeHead(429, { 'retry-after': '7' }).end();
    else if (asked === 3) response.writeHead(502).end('<html>');
    else response.end(JSON.stringify(NPM_BODY));
  });
  const { states, waits } = await ask(url, 'npm', ['a']);
  expect(states.npm?.packages).toHaveLength(1);
  expect(waits).toEqual([500, 7_000, 8_000]);
});

test.each<[string, number, Record<string, string>, number]>([
  ['answered 503', 503, {}, 4],
  ['answered 429', 429, { 'retry-after': '3600' }, 1],
  ['answered 401', 401, {}, 1],
])('a registry that %s is skipped by its name, and is null', async (why, status, headers, tries) => {
  const { url, requests } = await registryServer((_path, response) => response.writeHead(status, headers).end('no'));
  const { states, sources } = await ask(url, 'npm', ['a']);
  expect(states.npm).toBeNull();
  expect(sources).toEqual([
    { source: 'npm', asked: 1, found: 0, problem: `The registry npm was not read: it ${why}.` },
  ]);
  expect(requests).toHaveLength(tries);
});

test('one registry that fails does not fail another', async () => {
  const broken = await registryServer((_path, response) => response.writeHead(500).end());
  const fine = await registryServer((_path, response) => response.end('{"vers":"1.0.0"}\n'));
  const npm = madeSnapshot([{ name: 'a' }]);
  const cargo = madeSnapshot([{ name: 'b' }], { ecosystem: 'cargo' });
  const env = { ...allAt(broken.url), CARGO_REGISTRIES_CRATES_IO_INDEX: fine.url };
  const { states, sources } = await askRegistries(
    { repos: [...npm.repos, ...cargo.repos], deps: [] },
    { env, cacheDir: scratchFolder(), pause: () => Promise.resolve() },
  );
  expect(states.npm).toBeNull();
  expect(states.crates?.packages).toMatchObject([{ name: 'b', latest: '1.0.0' }]);
  expect(sources).toMatchObject([
    { source: 'npm', problem: expect.stringContaining('500') },
    { source: 'crates', problem: null },
  ]);
});

test.each<[string, string]>([
  ['no JSON', '<html>sign in</html>'],
  ['another structure', '[]'],
  ['values of another type', '{"versions":{"1.0.0":7}}'],
  ['nested without end', '['.repeat(100_000)],
  [
    'too many versions',
    JSON.stringify({ versions: Object.fromEntries(Array.from({ length: 20_001 }, (_, n) => [n, {}])) }),
  ],
])('an answer that is %s skips this package by its name, and no other', async (_what, body) => {
  const { url } = await registryServer((path, response) =>
    response.end(path === '/good' ? JSON.stringify(NPM_BODY) : body),
  );
  const { states, sources } = await ask(url, 'npm', ['bad', 'good']);
  expect(states.npm?.packages).toMatchObject([{ name: 'good' }]);
  expect(sources).toEqual([
    { source: 'npm', asked: 2, found: 1, problem: null },
    { source: 'npm', asked: 1, found: 0, problem: expect.stringMatching(/^bad of npm was skipped: the /) },
  ]);
});

test('an answer that does not end is cut off', async () => {
  let sent = 0;
  const { url } = await registryServer((_path, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 32);
    const more = (): void => {
      while (!response.destroyed) {
        sent += 1;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  });
  const { sources } = await ask(url, 'npm', ['endless']);
  expect(sources[1]?.problem).toContain('more than 67108864 bytes');
  expect(sent).toBeLessThan(200);
});

test.each<[Ecosystem, string]>([
  ['npm', '../../admin'],
  ['npm', '@a/../b'],
  ['npm', 'a?b=c'],
  ['python', 'a/../../b'],
  ['go', 'example.com/../x'],
  ['go', 'example.com/x#y'],
  ['cargo', '../x'],
  ['hex', 'a%2f..'],
])('%s: the name %s is never put into an address', async (ecosystem, name) => {
  const { url, requests } = await registryServer((_path, response) => response.end('{}'));
  const { sources } = await ask(url, ecosystem, [name]);
  expect(requests).toEqual([]);
  expect(sources.at(-1)?.problem).toContain('no package can have this name');
});

test('an answer that has not changed is not sent again', async () => {
  const { url, requests } = await registryServer((_path, response, request) => {
    if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"one"' }).end(JSON.stringify(NPM_BODY));
  });
  const cacheDir = scratchFolder();
  const first = await ask(url, 'npm', ['a'], { cacheDir });
  const second = await ask(url, 'npm', ['a'], { cacheDir });
  expect(second.states).toEqual(first.states);
  expect(requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"']);
});

test('credentials of an address are sent as a header, and are in no message', async () => {
  const { url, requests } = await registryServer((_path, response) => response.writeHead(403).end());
  const secret = url.replace('http://', 'http://ada:s3cret%21@');
  const { sources } = await ask(secret, 'npm', ['a']);
  expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:s3cret!').toString('base64')}`);
  expect(JSON.stringify(sources)).not.toContain('s3cret');
});

test('registries are those of the ecosystems’ own variables, and can be switched off', async () => {
  expect(registryAddresses({})).toEqual({
    npm: 'https://registry.npmjs.org',
    pypi: 'https://pypi.org/simple',
    go: 'https://proxy.golang.org',
    crates: 'https://index.crates.io',
    hex: 'https://hex.pm/api',
  });
  expect(registryAddresses({ GOPROXY: 'off', npm_config_registry: 'https://npm.example/' })).toMatchObject({
    go: null,
    npm: 'https://npm.example',
  });
  const { sources } = await ask('http://127.0.0.1:1', 'go', ['example.com/a'], { env: { GOPROXY: 'off' } });
  expect(sources).toMatchObject([{ source: 'go', problem: expect.stringContaining('switched off') }]);
});
