import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../activities/shared/config.ts';
import { type Ended, longhaulOnTerminal, longhaulProcess } from '../../support/command.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

/** What a cloned repository can do with a file named `longhaul.yaml`. */
describe('a longhaul.yaml in the current folder', () => {
  let folder: string;
  let clone: string;
  let env: Record<string, string>;
  let requests: (string | undefined)[];
  let server: Server;
  let url: string;
  const ran = (): boolean => existsSync(join(folder, 'ran'));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-trust-'));
    clone = join(folder, 'clone');
    await mkdir(join(clone, 'tools'), { recursive: true });
    await writeFile(join(clone, 'tools/mgit'), `#!/bin/sh\ntouch ${join(folder, 'ran')}\necho '[]'\n`);
    await chmod(join(clone, 'tools/mgit'), 0o755);
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.headers.authorization);
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    env = {
      ...COMPILE_CACHE,
      PATH: process.env['PATH'] ?? '',
      HOME: homedir(),
      XDG_CONFIG_HOME: join(folder, 'config'),
      LONGHAUL_DATA_DIR: join(folder, 'data'),
      LONGHAUL_CACHE_DIR: join(folder, 'cache'),
      GITHUB_TOKEN: 'secret-token',
    };
    await write(clone);
  });
  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  async function write(into: string, comment = ''): Promise<void> {
    await mkdir(into, { recursive: true });
    await writeFile(
      join(into, 'longhaul.yaml'),
      `${comment}
providers: [{ name: tool, type: mgit, command: ./tools/mgit }]
weaviate: { url: "${url}", apiKeyEnv: GITHUB_TOKEN }
`,
    );
  }
  const command = (...args: string[]): Promise<Ended> => longhaulProcess(env, args, undefined, clone);
  const list = (): Promise<Ended> => command('repos', 'list', '*');

  test('is refused without a terminal: nothing is contacted or run', async () => {
    for (const args of [['doctor'], ['repos', 'list', '*'], ['search', 'x'], ['worker']]) {
      const { exitCode, stderr } = await command(...args);
      expect({ args, exitCode, stderr }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(
          /clone\/longhaul\.yaml was found in the current folder.*longhaul config trust/s,
        ) as string,
      });
    }
    expect({ requests, ran: ran() }).toEqual({ requests: [], ran: false });
  });

  test('is used after `longhaul config trust`, which shows it, until it changes', async () => {
    const { exitCode, stderr } = await command('config', 'trust');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('runs ./tools/mgit (providers[0])');
    expect(stderr).toContain(`contacts ${url}, with what is in $GITHUB_TOKEN (weaviate)`);
    expect({ requests, ran: ran() }).toEqual({ requests: [], ran: false });
    expect(await list()).toMatchObject({ exitCode: 0 });
    expect(ran()).toBe(true);
    await write(clone, '# changed');
    expect(await list()).toMatchObject({ exitCode: 2 });
  });

  test.each([
    ['n\n', 2, false],
    ['y\n', 0, true],
  ])('on a terminal it is shown with a question: %j', async (answer, exitCode, isRun) => {
    const asked = { question: '[y/N]', answer, cwd: clone };
    const ended = await longhaulOnTerminal(env, ['repos', 'list', '*'], asked);
    expect(ended).toMatchObject({ exitCode, screen: expect.stringContaining('runs ./tools/mgit') as string });
    expect(ran()).toBe(isRun);
    expect((await list()).exitCode).toBe(exitCode);
  });

  test('needs no trust when it is named, or in the configuration folder of the user', async () => {
    expect(await command('--config', 'longhaul.yaml', 'repos', 'list', '*')).toMatchObject({
      exitCode: 0,
    });
    expect(ran()).toBe(true);
    await rm(join(folder, 'ran'));
    await rm(join(clone, 'longhaul.yaml'));
    await write(join(folder, 'config/longhaul'));
    expect(await list()).toMatchObject({ exitCode: 0 });
    expect(ran()).toBe(true);
  });

  test('that is not trusted is no reason to use another one', async () => {
    await write(join(folder, 'config/longhaul'));
    expect(await list()).toMatchObject({ exitCode: 2 });
  });
});

describe('longhaul init', () => {
  let folder: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-init-'));
    env = { PATH: process.env['PATH'] ?? '', HOME: homedir(), XDG_CONFIG_HOME: join(folder, 'config') };
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('writes a file that the next command uses without a question, and never a second one', async () => {
    await mkdir(join(folder, 'code/acme'), { recursive: true });
    const args = ['init', '--type', 'local', '--root', join(folder, 'code')];
    expect(await longhaulProcess(env, args, undefined, folder)).toMatchObject({ exitCode: 0 });
    expect(await longhaulProcess(env, ['repos', 'list', '*'], undefined, folder)).toMatchObject({ exitCode: 0 });
    const again = await longhaulProcess(env, args, undefined, folder);
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('longhaul.yaml exists') as string });
  });

  test('without a terminal names the missing option, and writes nothing', async () => {
    const { exitCode, stderr } = await longhaulProcess(env, ['init'], undefined, folder);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('give --type') as string,
    });
    expect(existsSync(join(folder, 'longhaul.yaml'))).toBe(false);
    for (const [args, said] of [
      [['--type', 'gitea', '--url', 'no address'], /^longhaul: url must be an address/],
      [['--type', 'github', '--name', 'a b'], /^longhaul: name: use letters/],
      [['--type', 'local', '--root', './none'], /^longhaul: There is no folder .\/none/],
    ] as const) {
      const refused = await longhaulProcess(env, ['init', ...args], undefined, folder);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(said) as string });
    }
    expect(existsSync(join(folder, 'longhaul.yaml'))).toBe(false);
  });

  test('asks on a terminal', async () => {
    const asked = { question: 'Where are the repositories?', answer: 'gitlab\n\n\n', cwd: folder };
    expect(await longhaulOnTerminal(env, ['init'], asked)).toMatchObject({ exitCode: 0 });
    const { config } = loadConfig({ path: join(folder, 'longhaul.yaml'), env: {} });
    expect(config.providers).toMatchObject([{ name: 'gitlab', url: 'https://gitlab.com', tokenEnv: 'GITLAB_TOKEN' }]);
  });
});
