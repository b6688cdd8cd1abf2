import { execa } from 'execa';
import { expect, test } from 'vitest';
import { askRegistries } from '../../../activities/workspace/registries/ask-registries.ts';
import type { RegistryName, RegistryPackage } from '../../../domain/workspace/registry-package.ts';
import type { Ecosystem } from '../../../domain/workspace/package-manifest.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

/** What the configured registry says about packages of one ecosystem. */
async function published(
  ecosystem: Ecosystem,
  registry: RegistryName,
  names: readonly string[],
): Promise<ReadonlyMap<string, RegistryPackage>> {
  const snapshot = madeSnapshot(
    names.map((name) => ({ name: name.replaceAll('/', '.'), packages: [{ name }] })),
    { ecosystem },
  );
  const { states, sources } = await askRegistries(snapshot, { env: process.env, cacheDir: scratchFolder() });
  expect(sources).toMatchObject([{ source: registry, asked: names.length, problem: null }]);
  return new Map(states[registry]?.packages.map((one) => [one.name, one]));
}

test('npm: the versions are those that npm itself lists', { timeout: 120_000 }, async () => {
  const found = await published('npm', 'npm', ['left-pad', '@types/semver', 'not-a-published-package-of-longhaul']);
  expect([...found.keys()]).toEqual(['@types/semver', 'left-pad']);
  for (const [name, { versions, latest }] of found) {
    const { stdout } = await execa('npm', ['view', name, 'versions', 'dist-tags.latest', '--json']);
    const said = JSON.parse(stdout) as { readonly versions: readonly string[]; readonly 'dist-tags.latest': string };
    expect(versions.toSorted()).toEqual(said.versions.toSorted());
    expect(latest).toBe(said['dist-tags.latest']);
  }
});

test('Go: versions, retractions and deprecations are those that go itself lists', { timeout: 300_000 }, async () => {
  const names = ['github.com/golang/protobuf', 'github.com/pkg/errors', 'github.com/BurntSushi/toml'];
  const found = await published('go', 'go', names);
  const cwd = scratchFolder();
  for (const name of names) {
    const { latest, versions, deprecated, retired } = found.get(name) as RegistryPackage;
    const { stdout } = await execa('go', ['list', '-m', '-versions', '-json', name], {
      cwd,
      env: { GOFLAGS: '-mod=mod' },
    });
    // it leaves out what is retracted, and pre-releases without a tag
    const said = JSON.parse(stdout) as { readonly Versions: readonly string[] };
    const gone = new Set(retired.map(({ version }) => version));
    const isPseudo = (version: string): boolean => /\d{14}-[0-9a-f]{12}$/.test(version);
    expect(versions.filter((version) => !gone.has(version) && !isPseudo(version))).toEqual(said.Versions);
    const mod = await execa('go', ['list', '-m', '-u', '-json', `${name}@${latest}`], { cwd });
    expect(deprecated).toBe((JSON.parse(mod.stdout) as { readonly Deprecated?: string }).Deprecated ?? null);
  }
  expect(found.get('github.com/golang/protobuf')?.deprecated).toContain('google.golang.org/protobuf');
});

test('PyPI and crates: yanked versions that never come back', { timeout: 120_000 }, async () => {
  const python = await published('python', 'pypi', ['Django']);
  const django = python.get('Django') as RegistryPackage;
  expect(django.versions).toEqual(expect.arrayContaining(['1.11.29', '5.0.5', '5.0.6']));
  expect(django.retired.map(({ version }) => version)).toContain('5.0.5');
  expect(django.retired.map(({ version }) => version)).not.toContain('5.0.6');
  const rust = await published('cargo', 'crates', ['serde', 'log']);
  expect(rust.get('serde')?.versions).toContain('1.0.100');
  expect(rust.get('log')?.latest).toMatch(/^0\.4\.\d+$/);
  expect(rust.get('serde')?.retired.length).toBeGreaterThan(0);
});
