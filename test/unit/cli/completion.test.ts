import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Ended, longhaul, longhaulProcess } from '../../support/command.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

/** The candidates for the last word, without descriptions. */
async function complete(words: string, env: Record<string, string> = {}): Promise<string[]> {
  const { stdout, stderr, exitCode } = await longhaul(env, ['complete', '--', ...words.split(' ')]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/\t.*/, '')]));
}

describe('longhaul complete', () => {
  test.for<readonly [words: string, some: readonly string[], none: readonly string[]]>([
    ['', ['up', 'index', 'search', 'completion'], ['complete', 'add']],
    ['index ', ['add', 'verify'], ['up']],
    ['--data x index ', ['add'], ['up']],
    ['index add --', ['--pattern', '--yes', '--config'], ['--repo', '--version']],
    ['index add --yes --', ['--pattern'], ['--yes']],
    ['index add --pattern a b --', ['--yes', '--pattern'], []],
    ['init --type ', ['github', 'local'], ['--type']],
    ['init --type=', ['--type=github'], ['github']],
    ['completion ', ['bash', 'zsh', 'fish'], []],
    ['--config ', [':file'], []],
    ['config apply --file ', [':file'], []],
    ['report fleet --output=', [':file'], []],
    ['config trust ', [':folder'], []],
    ['--data ', [':folder'], []],
    ['search -- --', [], ['--repo']],
    ['up ', [], ['--detach', 'down']],
    ['search --limit ', [], ['--repo']],
    ['no-such-command ', [], ['up']],
  ])('after %j offers %j, not %j', async ([words, some, none]) => {
    const offered = await complete(words);
    expect(offered).toEqual(expect.arrayContaining([...some]));
    expect(offered.filter((word) => none.includes(word))).toEqual([]);
    expect(offered.length > 0).toBe(some.length > 0);
  });
});

describe('names from Weaviate', () => {
  let folder: string;
  let server: Server;
  let requests: string[];
  let answer: (path: string) => object | null;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-complete-'));
    requests = [];
    const receipts = ['local/acme/api', 'local/acme/web', 'local/acme/bad\u001B[2Jname', 'local/acme/two\nlines'];
    answer = (path) =>
      path === '/v1/graphql'
        ? { data: { Get: { LonghaulReceipt_0: receipts.map((repository) => ({ repository, branch: 'main' })) } } }
        : { class: 'LonghaulChunk_0' };
    server = createServer((request, response) => {
      requests.push(`${request.url} ${request.headers.authorization}`);
      const content = answer(request.url ?? '');
      // null: the server never answers
      if (content !== null) response.end(JSON.stringify(content));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    env = {
      ...COMPILE_CACHE,
      PATH: process.env['PATH'] ?? '',
      HOME: homedir(),
      XDG_CONFIG_HOME: join(folder, 'config'),
      LONGHAUL_DATA_DIR: join(folder, 'data'),
      LONGHAUL_CACHE_DIR: join(folder, 'cache'),
      WEAVIATE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      WEAVIATE_API_KEY: 'key',
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  test.for<readonly [words: string, offered: readonly string[]]>([
    ['search x --repo ', ['local/acme/api', 'local/acme/web']],
    ['search x --repo=lo', ['--repo=local/acme/api', '--repo=local/acme/web']],
    ['index verify local/acme/web ', ['local/acme/api', 'local/acme/web']],
    ['diff ', ['local/acme/api', 'local/acme/web']],
    ['index remove --pattern acme/w', ['acme/api', 'acme/web']],
  ])(
    'after %j: what can be typed, and an id without its provider when the word begins so',
    async ([words, offered]) => {
      // on a busy machine the first answer can come too late
      await expect.poll(() => complete(words, env)).toEqual(offered);
      expect(requests.slice(-2)).toEqual(['/v1/aliases/LonghaulChunk Bearer key', '/v1/graphql Bearer key']);
    },
  );

  const tab = (cwd: string, change: Record<string, string> = {}): Promise<Ended> =>
    longhaulProcess({ ...env, ...change }, ['complete', '--', 'search', '--repo', ''], undefined, cwd);

  test('a server that does not answer, or answers nonsense, leads to no candidates and no message', async () => {
    answer = () => ({});
    expect(await tab(folder)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    answer = () => null;
    expect(await tab(folder)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const closed = 'http://127.0.0.1:1';
    expect(await tab(folder, { WEAVIATE_URL: closed })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('a configuration in the current folder contacts nothing until it is trusted', async () => {
    const { WEAVIATE_URL: url, ...without } = env;
    env = without;
    await writeFile(join(folder, 'longhaul.yaml'), `weaviate: { url: "${url}" }\n`);
    expect(await tab(folder)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(requests).toEqual([]);
    await longhaulProcess(env, ['config', 'trust'], undefined, folder);
    await expect.poll(() => tab(folder)).toMatchObject({ stdout: 'local/acme/api\tmain\nlocal/acme/web\tmain\n' });
  });
});
