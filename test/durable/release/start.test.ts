import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RELEASED_CHANGES, RELEASED_PACKAGE, RELEASED_VERSION } from '../../../examples/release-changes.ts';
import { BIN } from '../../support/command.ts';
import { git } from '../../support/scratch-git.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'longhaul-start-'));
});

afterAll(() => rm(data, { recursive: true, force: true }));

/** Runs `npm start` as a person does, in the clone. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const args = ['start', '--', '--release', '--once', '--data', data];
  const { exitCode, stdout, stderr } = await execa('npm', args, { cwd: PROJECT, env, reject: false, stdin: 'ignore' });
  return { exitCode, stdout, stderr };
}

/** What is running on the data folder. */
async function statusOf(): Promise<unknown> {
  const env = { LONGHAUL_CONFIG: join(data, 'longhaul.yaml'), LONGHAUL_DATA_DIR: data };
  const { stdout } = await execa(process.execPath, [BIN, 'status', '--json'], { env, reject: false });
  return JSON.parse(stdout);
}

const remoteOf = (run: number): string => join(data, 'remotes', `${RELEASED_PACKAGE.path}-${run}.git`);
const commitOf = (repository: string, revision: string): string =>
  git(repository, 'rev-parse', '--verify', `${revision}^{commit}`);

describe('npm start -- --release --once', () => {
  // the second one has the ledger and the packages of the first
  test.for([1, 2])('releases a version of a real package, and stops what it started: run %d', async (run) => {
    const { exitCode, stdout, stderr } = await start();
    expect(stderr).not.toContain('NOT HELD');
    expect(exitCode).toBe(0);
    const remote = remoteOf(run);
    const published = join(data, 'published', `${RELEASED_PACKAGE.path}.git`);
    for (const [at, { id, version, subject }] of RELEASED_CHANGES.entries()) {
      const proven = commitOf(remote, `${RELEASED_VERSION}-rc.${at + 1}`);
      expect(git(remote, 'log', '--format=%s', '-1', proven)).toBe(`${subject} [${id}]`);
      // but for the contract and the tests, it is what was published
      expect(git(remote, 'ls-tree', '-r', proven, 'lib')).toBe(git(published, 'ls-tree', '-r', `v${version}`, 'lib'));
      expect(stdout).toContain(`$ longhaul evolution start ${RELEASED_VERSION} --change ${id}\n`);
    }
    expect(git(remote, 'cat-file', '-t', RELEASED_VERSION)).toBe('tag');
    expect(commitOf(remote, RELEASED_VERSION)).toBe(commitOf(remote, 'main'));
    expect(commitOf(remote, RELEASED_VERSION)).toBe(commitOf(remote, `${RELEASED_VERSION}-rc.3`));
    expect(stdout.match(/^held: /gm)).toHaveLength(8);
    expect(stdout).toContain(`Generation ${RELEASED_VERSION} promoted successfully!\n`);
    expect(await statusOf()).toMatchObject({ status: 'stopped', cleared: [] });
  });

  test('does not begin on a machine without a sandbox, and stops what it started', async () => {
    // a PATH with everything but bubblewrap
    const bin = join(data, 'bin');
    const folders = (process.env['PATH'] ?? '').split(delimiter);
    await mkdir(bin);
    const programs = new Map<string, string>();
    for (const folder of folders.toReversed())
      for (const name of await readdir(folder).catch(() => [])) programs.set(name, join(folder, name));
    programs.delete('bwrap');
    await Promise.all([...programs].map(([name, path]) => symlink(path, join(bin, name))));
    const { exitCode, stdout, stderr } = await start({ PATH: bin });
    expect(stderr).toContain('pipelines: not served on this machine: ');
    expect(stderr).toContain('this machine has no sandbox for it');
    expect(exitCode).toBe(3);
    expect(stdout).not.toContain('$ longhaul');
    expect(await statusOf()).toMatchObject({ status: 'stopped', cleared: [] });
  });
});
