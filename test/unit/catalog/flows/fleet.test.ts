import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FLEET_PACKAGES } from '../../../../examples/fleet-packages.ts';
import type { FleetPackage } from '../../../../examples/fleet-packages.ts';
import { advanceFleet, makeFleet, rewindFleet } from '../../../../examples/fleet.ts';
import { git } from '../../../../examples/git.ts';

const alpha: FleetPackage = {
  name: '@scope/alpha',
  path: 'org/alpha',
  versions: ['1.0.0', '1.1.0', '2.0.0'],
  early: '1.1.0',
};
const beta: FleetPackage = { name: 'beta', path: 'org/project/beta', versions: ['0.1.0', '0.2.0'], early: '0.2.0' };
const packages = [alpha, beta];
const oddName = 'src/"quoted"\nand é.js';

let work: string;
let root: string;
let cacheDir: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'longhaul-fleet-test-'));
  root = join(work, 'root');
  cacheDir = join(work, 'cache');
  await mkdir(cacheDir);
  await publish('scope-alpha-1.0.0', { 'package.json': '1', 'src/gone.js': 'old' });
  await publish('scope-alpha-1.1.0', { 'package.json': '2', 'bin/run.sh': '#!/bin/sh' });
  await publish('scope-alpha-2.0.0', { 'package.json': '3', 'bin/run.sh': '#!/bin/sh', [oddName]: 'odd' });
  await publish('beta-0.1.0', { 'index.js': 'a' });
  await publish('beta-0.2.0', { 'index.js': 'b' });
});

afterEach(() => rm(work, { recursive: true, force: true }));

describe('makeFleet', () => {
  it('makes one commit and one annotated tag a version, with main at the early one', async () => {
    expect(await makeFleet({ root, cacheDir, packages })).toEqual({ made: 2, reused: 0, fetched: 0 });

    expect(await inAlpha('log', '--format=%s', 'v2.0.0')).toBe(
      '@scope/alpha 2.0.0\n@scope/alpha 1.1.0\n@scope/alpha 1.0.0',
    );
    expect(await inAlpha('cat-file', '-t', 'v2.0.0')).toBe('tag');
    expect(await inAlpha('describe', 'HEAD')).toBe('v1.1.0');
    expect(await inAlpha('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(await inAlpha('fsck', '--strict')).toBe('');
  });

  it('stores what the package holds: names, contents and modes, and no links', async () => {
    await makeFleet({ root, cacheDir, packages });

    const tree = await inAlpha('ls-tree', '-r', '-z', 'v2.0.0');
    const files = tree.split('\0').filter(Boolean);
    expect(files.map((line) => line.replace(/ blob \w+\t/, ' '))).toEqual([
      '100755 bin/run.sh',
      '100644 package.json',
      `100644 ${oddName}`,
    ]);
    expect(await inAlpha('show', 'v2.0.0:package.json')).toBe('3');
    expect(await inAlpha('show', `v2.0.0:${oddName}`)).toBe('odd');
  });

  it('makes the same commits every time', async () => {
    await makeFleet({ root, cacheDir, packages });
    const first = await inAlpha('rev-parse', 'v2.0.0');
    await rm(root, { recursive: true });
    await makeFleet({ root, cacheDir, packages });

    expect(await inAlpha('rev-parse', 'v2.0.0')).toBe(first);
  });

  it('reuses complete repositories, and recreates interrupted ones and those with other versions', async () => {
    await makeFleet({ root, cacheDir, packages });
    await inAlpha('tag', '--delete', 'v1.0.0');
    await mkdir(join(root, '.unfinished', 'org', 'alpha.git'), { recursive: true });
    await rm(join(root, 'org/project/beta.git', 'HEAD'));

    expect(await makeFleet({ root, cacheDir, packages })).toEqual({ made: 2, reused: 0, fetched: 0 });
    expect(await inAlpha('tag')).toBe('v1.0.0\nv1.1.0\nv2.0.0');
    expect(await makeFleet({ root, cacheDir, packages })).toEqual({ made: 0, reused: 2, fetched: 0 });
    expect(await readdir(root)).toEqual(['org']);
  });

  it('removes a damaged package from the cache and says so', async () => {
    await writeFile(join(cacheDir, 'beta-0.2.0.tgz'), 'half a tarb');

    await expect(makeFleet({ root, cacheDir, packages })).rejects.toThrow('beta-0.2.0.tgz was damaged');
    expect(await readdir(cacheDir)).not.toContain('beta-0.2.0.tgz');
  });

  it('stops at once when it is aborted', async () => {
    await expect(makeFleet({ root, cacheDir, packages, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });
});

describe('advanceFleet and rewindFleet', () => {
  it('move only the repositories that have somewhere to go', async () => {
    await makeFleet({ root, cacheDir, packages });

    expect(await advanceFleet({ root, packages })).toBe(1);
    expect(await inAlpha('describe', 'main')).toBe('v2.0.0');
    expect(await advanceFleet({ root, packages })).toBe(0);
    expect(await rewindFleet({ root, packages })).toBe(1);
    expect(await inAlpha('describe', 'main')).toBe('v1.1.0');
  });
});

describe('the demo fleet', () => {
  it('is at least twelve repositories in both layouts, of which some stay and most move', () => {
    const stay = FLEET_PACKAGES.filter((pkg) => pkg.early === pkg.versions.at(-1));
    const depths = new Set(FLEET_PACKAGES.map((pkg) => pkg.path.split('/').length));

    expect(FLEET_PACKAGES.length).toBeGreaterThanOrEqual(12);
    expect(new Set(FLEET_PACKAGES.map((pkg) => pkg.path)).size).toBe(FLEET_PACKAGES.length);
    expect(depths).toEqual(new Set([2, 3]));
    expect(stay.length).toBeGreaterThan(0);
    expect(FLEET_PACKAGES.length - stay.length).toBeGreaterThanOrEqual(9);
    expect(FLEET_PACKAGES.filter((pkg) => !pkg.versions.includes(pkg.early))).toEqual([]);
  });
});

function inAlpha(...args: string[]): Promise<string> {
  return git([`--git-dir=${join(root, 'org/alpha.git')}`, ...args]);
}

/** Puts a package into the cache, as npm would have: a tarball with everything below `package/`. */
async function publish(name: string, files: Record<string, string>): Promise<void> {
  const folder = join(work, name, 'package');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    if (path.endsWith('.sh')) await chmod(join(folder, path), 0o755);
  }
  await symlink('package.json', join(folder, 'link'));
  await symlink('..', join(folder, 'link-to-folder'));
  await execa('tar', ['-czf', join(cacheDir, `${name}.tgz`), '-C', join(work, name), 'package']);
}
