import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Differential, Mgit } from '../../activities/mgit/index.ts';
import { type GitServer, startForge } from './forge.ts';
import { changesOf, openMgit } from './mgit.ts';
import { commitTree, files, git, initRepository, SCRATCH_ENV, scratchFolder } from './scratch-git.ts';

const SERVERS = [true, false].flatMap((allowFilter) =>
  [true, false].flatMap((allowAnySHA1InWant) =>
    ([0, 1, 2] as const).map((protocol) => ({ allowFilter, allowAnySHA1InWant, protocol })),
  ),
);

/** A git server with one repository. */
interface Served {
  readonly path: string;
  readonly cloneUrl: string;
  /** What git needs to reach it. */
  readonly env: NodeJS.ProcessEnv;
  /** Number of requests for contents so far. */
  readonly uploads: () => number;
}

async function overHttp(folder: string, abilities: GitServer): Promise<Served> {
  const forge = await startForge(join(folder, 'forge'), { git: abilities });
  onTestFinished(() => forge.close());
  return {
    path: initRepository(join(forge.root, 'acme', 'api.git'), '--bare'),
    cloneUrl: `${forge.url}/acme/api.git`,
    env: {},
    uploads: () => forge.requests.filter((request) => /^POST .*git-upload-pack$/.test(request)).length,
  };
}

/**
 * A program `ssh` that runs git's server on this machine, in an environment of its own, as sshd does. A server that
 * does not accept the variable with the version speaks protocol 0.
 */
function overSsh(folder: string, { allowFilter, allowAnySHA1InWant, protocol }: GitServer): Served {
  const log = join(folder, 'ssh.log');
  const program = join(folder, 'bin', 'ssh');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(log, '');
  const version = protocol === 2 ? '"$GIT_PROTOCOL"' : protocol === 1 ? 'version=1' : '';
  writeFileSync(
    program,
    `#!/bin/sh
echo "$@" >> '${log}'
for command; do :; done
exec env -i PATH='${SCRATCH_ENV['PATH']}' GIT_PROTOCOL=${version} GIT_CONFIG_COUNT=2 \
  GIT_CONFIG_KEY_0=uploadpack.allowFilter GIT_CONFIG_VALUE_0=${allowFilter} \
  GIT_CONFIG_KEY_1=uploadpack.allowAnySHA1InWant GIT_CONFIG_VALUE_1=${allowAnySHA1InWant} \
  sh -c "git \${command#git-}"
`,
  );
  chmodSync(program, 0o755);
  const path = initRepository(join(folder, 'served', 'acme', 'api.git'), '--bare');
  return {
    path,
    cloneUrl: `ssh://git@forge.test${path}`,
    env: { PATH: `${join(folder, 'bin')}:${SCRATCH_ENV['PATH']}` },
    uploads: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.includes('git-upload-pack')).length,
  };
}

const TRANSPORTS = [
  ['HTTP', overHttp],
  ['ssh', overSsh],
] as const;
/** A kind of git server: how it is reached, and what it is able to do. */
export interface ServerKind extends GitServer {
  /** Its transport and abilities, for the name of a test. */
  readonly name: string;
  readonly serve: (folder: string, abilities: GitServer) => Served | Promise<Served>;
}

/** The most requests for contents that a change needs, once it is known what the server gives by name. */
export const uploadsAtMost = ({ protocol }: ServerKind): number => (protocol === 2 ? 6 : 3);

/** Every kind of git server. */
export const SERVER_KINDS: readonly ServerKind[] = TRANSPORTS.flatMap(([transport, serve]) =>
  SERVERS.map((abilities) => ({
    name: `over ${transport} with ${Object.entries(abilities)
      .map(([ability, value]) => `${ability} ${value}`)
      .join(', ')}`,
    ...abilities,
    serve,
  })),
);

/**
 * Checks a first sync, a change, old contents, an earlier commit, and a new cache, from a server of this kind. Returns how
 * often the server was asked for contents at the last change.
 */
export async function uploadsOfLastChange({ serve, name: _name, ...abilities }: ServerKind): Promise<number> {
  const folder = scratchFolder();
  const cache = join(folder, 'cache');
  const { path, cloneUrl, env, uploads } = await serve(folder, abilities);
  const open = (cacheDir: string): Mgit => openMgit(cacheDir, [], { env });
  commitTree(path, files({ 'before.ts': 'before\n' }));
  const first = commitTree(path, files({ 'a.ts': 'first\n', 'src/b.ts': 'b\n' }));
  const mgit = open(cache);
  const repository = { id: 'web/acme/api', cloneUrl };
  const contentsOf = async (differential: Differential): Promise<Record<string, string | null>> =>
    Object.fromEntries(
      (await changesOf(differential)).map((change) => [
        change.path,
        change.op === 'delete' || change.content === null ? null : Buffer.from(change.content).toString(),
      ]),
    );
  const one = await mgit.diff(repository, null);
  expect(await contentsOf(one)).toEqual({ 'a.ts': 'first\n', 'src/b.ts': 'b\n' });
  const second = commitTree(path, files({ 'a.ts': 'second\n', 'c.ts': 'c\n' }));
  const two = await mgit.diff(repository, one.to);
  expect(two).toMatchObject({ full: null, to: { commit: second } });
  expect(await contentsOf(two)).toEqual({ 'a.ts': 'second\n', 'c.ts': 'c\n', 'src/b.ts': null });
  const oid = git(path, 'rev-parse', `${first}:a.ts`);
  for await (const { content } of two.readOld([{ oid, path: 'a.ts' }]))
    expect(Buffer.from(content ?? []).toString()).toBe('first\n');
  const file = await mgit.readFile(repository, second, 'c.ts');
  expect(Buffer.from(file?.content ?? []).toString()).toBe('c\n');
  // nothing but the last commit is known to a new machine
  const other = open(`${cache}-2`);
  expect(await contentsOf(await other.diff(repository, null))).toMatchObject({ 'a.ts': 'second\n', 'c.ts': 'c\n' });
  const fresh = await open(`${cache}-3`).readFile(repository, second, 'a.ts');
  expect(Buffer.from(fresh?.content ?? []).toString()).toBe('second\n');
  // once it is known that the server gives nothing by name, no further request is refused
  const third = commitTree(path, files({ 'd.ts': 'd\n' }));
  const before = uploads();
  const three = await mgit.diff(repository, two.to);
  expect(await contentsOf(three)).toMatchObject({ 'd.ts': 'd\n' });
  expect(three.to.commit).toBe(third);
  return uploads() - before;
}
