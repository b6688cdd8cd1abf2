import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, inject, test } from 'vitest';
import { cargoPackages } from '../../../activities/workspace/manifests/cargo.ts';
import { goPackages } from '../../../activities/workspace/manifests/go.ts';
import {
  type DeclaredPackage,
  type ManifestFiles,
  openManifestFiles,
} from '../../../activities/workspace/manifests/manifest-files.ts';
import { npmPackages } from '../../../activities/workspace/manifests/npm.ts';
import { pythonPackages } from '../../../activities/workspace/manifests/python.ts';
import { ofPoetry } from '../../../activities/workspace/manifests/python-requirement.ts';
import type { ManifestDiagnostic } from '../../../domain/workspace/package-manifest.ts';
import { versionFits } from '../../../domain/workspace/version-fits.ts';
import { manifestsOf } from '../../support/workspace/manifest-repository.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { type PublishedManifest, publishedManifests } from '../../support/workspace/published-manifests.ts';

/** What is read of one published manifest alone. */
async function read(
  { folder, name }: PublishedManifest,
  reader: (files: ManifestFiles) => Promise<DeclaredPackage[]>,
): Promise<{ readonly pkg: DeclaredPackage | undefined; readonly diagnostics: readonly ManifestDiagnostic[] }> {
  const diagnostics: ManifestDiagnostic[] = [];
  const [pkg] = await reader(openManifestFiles(folder, new Set([name]), diagnostics));
  return { pkg, diagnostics };
}

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const hasCargo = hasProgram('cargo');
let cacheDir: string;

beforeAll(() => {
  ({ cacheDir } = inject('stack'));
});

interface GoJson {
  readonly Module: { readonly Path: string };
  readonly Require: readonly { readonly Path: string; readonly Version: string; readonly Indirect?: boolean }[] | null;
  readonly Replace:
    | readonly { readonly Old: { readonly Path: string }; readonly New: { readonly Path: string } }[]
    | null;
}

async function goJson(file: string): Promise<GoJson> {
  const { stdout } = await execa('go', ['mod', 'edit', '-json', file]);
  return JSON.parse(stdout) as GoJson;
}

test('every go.mod of published modules, and of all that they need, is read as `go mod edit` reads it', async () => {
  const root = scratchFolder();
  const manifests = [...(await publishedManifests('go', 'go.mod', root, cacheDir))];
  const published = await Promise.all(manifests.map(({ folder }) => goJson(join(folder, 'go.mod'))));
  const needed = new Set(
    published.flatMap(({ Require }) => (Require ?? []).map(({ Path, Version }) => `${Path}@${Version}`)),
  );
  // only the go.mod of each is fetched, and kept with what other tests fetch
  const env = { GOMODCACHE: join(cacheDir, 'judged', 'go'), GOFLAGS: '-modcacherw' };
  const args = ['list', '-m', '-f', '{{.GoMod}}', ...[...needed].toSorted()];
  const { stdout } = await execa('go', args, { cwd: root, env });
  for (const [index, file] of stdout.split('\n').filter(Boolean).entries()) {
    const folder = join(root, 'needed', String(index));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'go.mod'), readFileSync(file));
    manifests.push({ folder, name: 'go.mod' });
  }
  expect(manifests.length).toBeGreaterThan(80);
  let requirements = 0;
  for (const manifest of manifests) {
    const { pkg, diagnostics } = await read(manifest, goPackages);
    const file = join(manifest.folder, 'go.mod');
    const expected = await goJson(file);
    expect(diagnostics, file).toEqual([]);
    expect(pkg?.name, file).toBe(expected.Module.Path);
    const replaced = new Map((expected.Replace ?? []).map((each) => [each.Old.Path, each.New.Path]));
    const found = pkg?.dependencies.map(({ name, alias, requirement, isDirect, location }) => ({
      path: alias ?? name,
      ...(alias === null && location === null && { version: requirement }),
      isDirect,
    }));
    expect(found, file).toEqual(
      (expected.Require ?? []).map(({ Path, Version, Indirect = false }) => ({
        path: Path,
        ...(!replaced.has(Path) && { version: Version }),
        isDirect: !Indirect,
      })),
    );
    requirements += found?.length ?? 0;
  }
  expect(requirements).toBeGreaterThan(300);
});

interface CargoJson {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly manifest_path: string;
    readonly dependencies: readonly {
      readonly name: string;
      readonly rename: string | null;
      readonly req: string;
      readonly kind: 'dev' | 'build' | null;
      readonly optional: boolean;
      readonly path?: string;
      readonly source: string | null;
    }[];
  }[];
}

async function cargoMetadata(folder: string): Promise<CargoJson['packages']> {
  const args = ['metadata', '--no-deps', '--format-version=1', '--offline', '--manifest-path'];
  // elsewhere: a crate may name the toolchain that it wants
  const { stdout } = await execa('cargo', [...args, join(folder, 'Cargo.toml')], { cwd: tmpdir() });
  return (JSON.parse(stdout) as CargoJson).packages;
}

/** A dependency as Cargo shows it: a plain version is `^`. */
function asCargo(requirement: string | null): string {
  if (requirement === null) return '*';
  const parts = requirement.split(',').map((part) => part.trim().replace(/^(\^|~|=|<=?|>=?)\s*/, '$1'));
  return parts.map((part) => (/^\d/.test(part) && !part.includes('*') ? `^${part}` : part)).join(', ');
}

function cargoLines(pkg: CargoJson['packages'][number]): string[] {
  return pkg.dependencies
    .map(({ name, rename, req, kind, optional, path, source }) => {
      const shown = kind ?? (optional ? 'optional' : 'normal');
      const from = path === undefined ? (source?.startsWith('git') === true ? 'git' : 'registry') : 'path';
      return `${shown} ${name} as ${rename ?? name} ${req} ${from}`;
    })
    .toSorted();
}

function ownLines(pkg: DeclaredPackage | undefined): string[] {
  return (pkg?.dependencies ?? [])
    .map(
      ({ kind, name, alias, requirement, source }) =>
        `${kind} ${name} as ${alias ?? name} ${asCargo(requirement)} ${source}`,
    )
    .toSorted();
}

test.skipIf(!hasCargo)('every Cargo.toml of published crates is read as Cargo reads it', async () => {
  const root = scratchFolder();
  const manifests = (await publishedManifests('crates', 'Cargo.toml', root, cacheDir)).filter(
    ({ folder }) => relative(root, folder).split('/').length === 1,
  );
  expect(manifests.length).toBeGreaterThanOrEqual(12);
  let dependencies = 0;
  for (const manifest of manifests) {
    const { pkg, diagnostics } = await read(manifest, cargoPackages);
    const [expected] = await cargoMetadata(manifest.folder);
    expect(diagnostics, manifest.folder).toEqual([]);
    expect([pkg?.name, pkg?.version]).toEqual([expected?.name, expected?.version]);
    expect(ownLines(pkg), manifest.folder).toEqual(expected && cargoLines(expected));
    dependencies += pkg?.dependencies.length ?? 0;
  }
  expect(dependencies).toBeGreaterThan(250);
});

test.skipIf(!hasCargo)('a workspace of published crates has the members that Cargo finds', async () => {
  const root = scratchFolder();
  const files: Record<string, string> = {
    'Cargo.toml':
      '[workspace]\nmembers = ["crates/*", "one"]\nexclude = ["crates/x"]\nresolver = "2"\n[workspace.package]\nversion = "0.4.0"\n[workspace.dependencies]\nb = { path = "crates/b", version = "0.4" }\nserde = { version = "1.0.200", features = ["derive"] }\n',
    'crates/a/Cargo.toml':
      '[package]\nname = "a"\nversion.workspace = true\nedition = "2021"\n[dependencies]\nb.workspace = true\nserde = { workspace = true, optional = true }\nbehind = { path = "../../behind/b" }\n[dev-dependencies]\nserde.workspace = true\n',
    'crates/b/Cargo.toml':
      '[package]\nname = "b"\nversion = "0.4.1"\n[target."cfg(windows)".build-dependencies]\ncc = "=1.0.1"\n',
    'crates/x/Cargo.toml': '[package]\nname = "x"\nversion = "0.0.1"\n',
    'one/Cargo.toml': '[package]\nname = "one"\nversion = "1.0.0"\n',
    'behind/b/Cargo.toml': '[package]\nname = "behind"\nversion = "1.0.0"\n',
    'two/Cargo.toml': '[package]\nname = "two"\nversion = "1.0.0"\n',
  };
  for (const [path, content] of Object.entries(files)) {
    const folder = join(root, path.slice(0, -'Cargo.toml'.length));
    mkdirSync(join(folder, 'src'), { recursive: true });
    writeFileSync(join(folder, 'Cargo.toml'), content);
    writeFileSync(join(folder, 'src/lib.rs'), '');
  }
  const expected = (await cargoMetadata(root)).map((pkg) => [
    relative(root, pkg.manifest_path),
    pkg.version,
    ...cargoLines(pkg),
  ]);
  const { packages, diagnostics } = await manifestsOf(files);
  expect(diagnostics).toEqual([]);
  const found = packages.map((pkg) => [pkg.file, pkg.version, ...ownLines(pkg)]);
  expect(new Set(found.map(String))).toEqual(new Set(expected.map(String)));
  expect(found).toHaveLength(4);
});

/** Reads pyproject.toml files with Python's own TOML parser and the library of pip. */
const PYTHON = `
import json, sys, tomllib
try:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.utils import canonicalize_name
    from packaging.version import Version
except ImportError:
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.specifiers import SpecifierSet
    from pip._vendor.packaging.utils import canonicalize_name
    from pip._vendor.packaging.version import Version

def lines(kind, values):
    out = []
    for value in values:
        if isinstance(value, dict):
            continue
        try:
            r = Requirement(value)
        except Exception:
            out.append('invalid')
            continue
        s = ','.join(sorted(str(x) for x in r.specifier)) if r.url is None else '-'
        out.append(' '.join([kind, canonicalize_name(r.name), s or '*']))
    return out

def manifest(path):
    try:
        with open(path, 'rb') as f:
            t = tomllib.load(f)
    except Exception:
        return None
    p = t.get('project')
    if p is None:
        return {'skipped': True}
    out = lines('normal', p.get('dependencies', []))
    for v in p.get('optional-dependencies', {}).values():
        out += lines('optional', v)
    for v in t.get('dependency-groups', {}).values():
        out += lines('dev', v)
    out += lines('build', t.get('build-system', {}).get('requires', []))
    return {'name': canonicalize_name(p['name']) if 'name' in p else None, 'version': p.get('version'), 'lines': sorted(out)}

given = json.load(sys.stdin)
answers = {
    'manifests': [manifest(path) for path in given.get('manifests', [])],
    # without a pre-release where final versions fit
    'fits': [SpecifierSet(s).contains(Version(v), prereleases=bool(SpecifierSet(s).prereleases)) for s, v in given.get('fits', [])],
}
json.dump(answers, sys.stdout)
`;

interface PythonAnswers {
  readonly manifests: readonly (
    | { readonly name: string | null; readonly version: string | null; readonly lines: readonly string[] }
    | { readonly skipped: true }
    | null
  )[];
  readonly fits: readonly boolean[];
}

function askPython(question: {
  readonly manifests?: readonly string[];
  readonly fits?: readonly (readonly [string, string])[];
}): PythonAnswers {
  const printed = execFileSync('python3', ['-c', PYTHON], { input: JSON.stringify(question), encoding: 'utf8' });
  return JSON.parse(printed) as PythonAnswers;
}

test('every pyproject.toml of published projects is read as Python and pip read it', async () => {
  const manifests = await publishedManifests('pypi', 'pyproject.toml', scratchFolder(), cacheDir);
  expect(manifests.length).toBeGreaterThan(100);
  const { manifests: expected } = askPython({
    manifests: manifests.map(({ folder, name }) => join(folder, name)),
  });
  let compared = 0;
  const refused: string[] = [];
  for (const [index, manifest] of manifests.entries()) {
    const wanted = expected[index];
    const { pkg, diagnostics } = await read(manifest, pythonPackages);
    if (wanted === null || wanted === undefined) {
      refused.push(diagnostics.map(({ kind }) => kind).join());
      continue;
    }
    // tables of Poetry alone: compared with Poetry below
    if ('skipped' in wanted || wanted.lines.includes('invalid')) continue;
    const toml = readFileSync(join(manifest.folder, manifest.name), 'utf8');
    if (/\[tool\.poetry\.|\[tool\.poetry\]/.test(toml)) continue;
    compared += 1;
    expect([pkg?.name, pkg?.version], manifest.folder).toEqual([wanted.name, wanted.version]);
    const lines = pkg?.dependencies.map(({ kind, name, requirement, source }) => {
      const specifiers = (requirement ?? '-').split(',').toSorted().join(',');
      return `${kind} ${name} ${source === 'registry' ? specifiers : '-'}`;
    });
    expect(lines?.toSorted(), manifest.folder).toEqual(wanted.lines.map(spacesRemoved).toSorted());
  }
  expect(compared).toBeGreaterThan(15);
  // what Python's own parser refuses
  expect(new Set(refused)).toEqual(new Set(['syntax']));
});

function spacesRemoved(line: string): string {
  const [kind, name, ...rest] = line.split(' ');
  return `${kind} ${name} ${rest.join('')}`;
}

const SPECIFIERS = [
  '>=1.0',
  '>=1.0,<2',
  '~=1.4',
  '~=1.4.2',
  '==1.*',
  '!=1.5',
  '==1.5.0',
  '<2.0',
  '>1.4',
  '===1.5',
  '>=2.0rc1',
  '<=1.9,!=1.4.*',
  '>=1.0.dev1',
];
const VERSIONS = [
  '0.9',
  '1.0',
  '1.0.post1',
  '1.4',
  '1.4.1',
  '1.4.3',
  '1.5',
  '1.5.0',
  '1.9.9',
  '2.0',
  '2.0rc1',
  '2.0.dev3',
  '2.0a1',
  '1!1.0',
  '1.5+local',
];

test('versions fit specifiers as pip judges it', () => {
  const pairs = SPECIFIERS.flatMap((specifier) => VERSIONS.map((version) => [specifier, version] as const));
  const { fits } = askPython({ fits: pairs });
  const own = pairs.map(([specifier, version]) => versionFits('python', specifier, version));
  const differing = pairs.filter((_, index) => fits[index] !== own[index]);
  expect(differing).toEqual([]);
});

const CONSTRAINTS = [
  '^1.2.3',
  '^1.2',
  '^1',
  '^0.2.3',
  '^0.0.3',
  '^0.0',
  '^0',
  '~1.2.3',
  '~1.2',
  '~1',
  '1.2.*',
  '1.*',
  '*',
  '1.4',
  '>=1.2,<1.9',
  '>=1.2 <1.9',
  '!=1.4',
  '~=1.4',
  '==1.4.0',
];

test('constraints of Poetry mean what Poetry itself takes them for', async () => {
  const root = scratchFolder();
  await publishedManifests('pypi', 'pyproject.toml', root, cacheDir);
  const versions = VERSIONS.filter((version) => !/rc|dev|a1|local/.test(version));
  const pairs = CONSTRAINTS.flatMap((constraint) => versions.map((version) => [constraint, version] as const));
  const script =
    'import json, sys\nfrom poetry.core.constraints.version import Version, parse_constraint\n' +
    'json.dump([parse_constraint(c).allows(Version.parse(v)) for c, v in json.load(sys.stdin)], sys.stdout)';
  const source = join(root, 'poetry-core-2.1.3', 'src');
  const printed = execFileSync('python3', ['-c', script], {
    input: JSON.stringify(pairs),
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: source },
  });
  const allowed = JSON.parse(printed) as boolean[];
  const own = pairs.map(([constraint, version]) => versionFits('python', ofPoetry(constraint), version));
  expect(pairs.filter((_, index) => allowed[index] !== own[index])).toEqual([]);
  expect(allowed.filter(Boolean).length).toBeGreaterThan(50);
});

test('every package.json of published packages is read as JSON.parse reads it', async () => {
  const manifests = await publishedManifests('npm', 'package.json', scratchFolder(), cacheDir);
  expect(manifests.length).toBeGreaterThan(5);
  let dependencies = 0;
  for (const manifest of manifests) {
    const { pkg, diagnostics } = await read(manifest, npmPackages);
    const json = JSON.parse(readFileSync(join(manifest.folder, manifest.name), 'utf8')) as Record<string, unknown>;
    expect(diagnostics, manifest.folder).toEqual([]);
    expect([pkg?.name, pkg?.version]).toEqual([json['name'] ?? null, json['version'] ?? null]);
    const fields = {
      normal: 'dependencies',
      dev: 'devDependencies',
      peer: 'peerDependencies',
      optional: 'optionalDependencies',
    };
    for (const [kind, field] of Object.entries(fields)) {
      const found = pkg?.dependencies
        .filter((each) => each.kind === kind)
        .map(({ name, alias, raw }) => [alias ?? name, raw]);
      expect(Object.fromEntries(found ?? []), `${manifest.folder} ${field}`).toEqual(json[field] ?? {});
      dependencies += found?.length ?? 0;
    }
  }
  expect(dependencies).toBeGreaterThan(100);
});

test('a workspace has the members that npm finds', async () => {
  const member = (name: string): string => JSON.stringify({ name, version: '1.0.0' });
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name: 'root',
      version: '0.0.0',
      workspaces: ['packages/*', 'tools/**', '!tools/old', './docs', 'packages/{nothing,here}'],
    }),
    'packages/a/package.json': member('a'),
    'packages/b/package.json': member('b'),
    'packages/b/inner/package.json': member('inner'),
    'tools/cli/package.json': member('cli'),
    'tools/old/package.json': member('old'),
    'tools/deep/down/package.json': member('down'),
    'docs/package.json': member('docs'),
    'website/package.json': member('website'),
  };
  const root = scratchFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const { stdout } = await execa('npm', ['pkg', 'get', 'version', '--workspaces', '--json'], { cwd: root });
  const { packages } = await manifestsOf(files);
  const members = packages.map(({ name }) => name).filter((name) => name !== 'root');
  expect(new Set(members)).toEqual(new Set(Object.keys(JSON.parse(stdout) as object)));
  expect(packages).toHaveLength(6);
});
