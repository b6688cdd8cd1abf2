import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { failureOfWeaviate } from '../../../activities/index/store/weaviate.ts';
import { shownError } from '../../../client/core/errors.ts';
import { type FailureType, FAILURES } from '../../../domain/shared/failures.ts';
import { startForge } from '../../support/forge.ts';
import { changesOf, openMgit } from '../../support/mgit.ts';
import { makeAuthority } from '../../support/private-authority.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

/** Reads a repository to its end. */
async function read(cloneUrl: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const mgit = openMgit(join(scratchFolder(), 'cache'), [], { env });
  return (await changesOf(await mgit.diff({ id: 'local/acme/api', cloneUrl }, null))).length;
}

/** A port on which nothing listens: of a reserved range. */
const CLOSED = '127.0.0.1:1';

function repository(): string {
  const path = initRepository(join(scratchFolder(), 'api'));
  commitTree(path, files({ 'a.ts': 'export const a = 1;\n' }));
  return path;
}

async function forgeAnswering(status: number): Promise<string> {
  const forge = await startForge(join(scratchFolder(), 'forge'));
  onTestFinished(() => forge.close());
  forge.refuseGit = () => ({ status, message: 'refused' });
  return `${forge.url}/acme/api.git`;
}

function partialClone(): string {
  const upstream = repository();
  git(upstream, 'config', 'uploadpack.allowFilter', 'true');
  git(upstream, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const path = join(scratchFolder(), 'lean');
  git(upstream, 'clone', '--quiet', '--no-checkout', '--filter=blob:none', `file://${upstream}`, path);
  return path;
}

/** A program `git` that prints this version, as the only one on PATH. */
function gitOf(version: string): NodeJS.ProcessEnv {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'git'), `#!/bin/sh\necho "git version ${version}"\n`);
  chmodSync(join(folder, 'git'), 0o755);
  return { PATH: folder };
}

/** What happened, as docs/exit-codes.md says it, and how to make it happen. */
const CAUSES: Readonly<Record<string, () => Promise<unknown>>> = {
  'a repository on this machine is damaged, or the worker may not read it': async () => {
    const path = repository();
    rmSync(join(path, '.git', 'objects'), { recursive: true });
    mkdirSync(join(path, '.git', 'objects'));
    return read(path);
  },
  'a repository on this machine is a partial clone': () => read(partialClone()),
  'HEAD names a branch that is not there, and there are several': async () => {
    const path = repository();
    commitTree(path, files({ a: '1\n' }), { branch: 'develop' });
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/master');
    return read(path);
  },
  'the folder of a local provider cannot be read': () =>
    openMgit(scratchFolder(), [{ name: 'local', type: 'local', root: join(scratchFolder(), 'none') }]).list(['*']),
  'git is older than 2.36': () => read(`http://${CLOSED}/acme/api.git`, gitOf('2.30.2')),
  'git is not installed': () => read(`http://${CLOSED}/acme/api.git`, { PATH: scratchFolder() }),
  'the git server refuses the connection, or its name is unknown': () => read(`http://${CLOSED}/acme/api.git`),
  'the proxy does not answer': () => read('http://forge.test/acme/api.git', { HTTP_PROXY: `http://${CLOSED}` }),
  "the server's certificate is of an unknown authority": async () => {
    const { key, cert } = makeAuthority(scratchFolder());
    const server = createServer({ key, cert }, (_request, response) => response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return read(`https://127.0.0.1:${(server.address() as AddressInfo).port}/acme/api.git`);
  },
  'the git server fails': async () => read(await forgeAnswering(500)),
  'the git server refuses the token': async () => read(await forgeAnswering(401)),
  'the git server has no such repository': async () => read(await forgeAnswering(404)),
  'the disk of Weaviate is nearly full, so that it is read-only': () =>
    Promise.reject(failureOfWeaviate(new Error('put object: store is read-only due to: disk usage too high'))),
  'a disk of the worker is full': () =>
    Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })),
};

const table = [
  ...readFileSync(new URL('../../../docs/exit-codes.md', import.meta.url), 'utf8')
    .split('## Causes')[1]!
    .matchAll(/^\| (.+) \| `(\w+)`, (\d+) \| (.+) \|$/gm),
].map(([, cause = '', type = '', exitCode = '', remedy = '']) => ({ cause, type, exitCode: Number(exitCode), remedy }));

test('every row of docs/exit-codes.md is tested', () => {
  expect(table.map(({ cause }) => cause)).toEqual(Object.keys(CAUSES));
});

test.for(table)('$cause: $type', async ({ cause, type, exitCode, remedy }) => {
  const error: unknown = await CAUSES[cause]?.().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(shownError(error)).toEqual({ type, exitCode, remedy, message: expect.any(String) as string });
  expect(FAILURES[type as FailureType].remedy).toBe(remedy);
});

test('the remedy for a partial clone helps', async () => {
  const path = partialClone();
  git(path, 'fetch', '--quiet', '--refetch', '--no-filter');
  expect(await read(path)).toBe(1);
});

test('a message names the folder, the versions and the address', async () => {
  const said = async (cause: string): Promise<string> => {
    const error: unknown = await CAUSES[cause]?.().catch((thrown: unknown) => thrown);
    return (error as Error).message;
  };
  expect(await said('a repository on this machine is a partial clone')).toMatch(/at \/.*\/lean is a partial clone/);
  expect(await said('git is older than 2.36')).toMatch(/\/git has the version 2\.30\.2: Longhaul needs 2\.36 or later/);
  expect(await said('the git server refuses the connection, or its name is unknown')).toContain('127.0.0.1 port 1');
});
