import npa from 'npm-package-arg';
import { validRange } from 'semver';
import type { Dependency, DependencyKind } from '../../../domain/workspace/package-manifest.ts';
import { parseJson, type JsonValue } from './json-tree.ts';
import type { DeclaredPackage, ManifestFiles } from './manifest-files.ts';
import { fileIn, folderOf, outermost, selected } from './member-folders.ts';
import { usablePatterns } from './patterns.ts';
import { type PnpmWorkspace, readPnpmWorkspace } from './pnpm-workspace.ts';

const NAME = 'package.json';

/** Fields of package.json, in order of precedence: npm takes a dependency that is in several from the first. */
const FIELDS = [
  ['optionalDependencies', 'optional'],
  ['dependencies', 'normal'],
  ['devDependencies', 'dev'],
  ['peerDependencies', 'peer'],
] as const;

/** The npm packages of a repository: those at its root, and the members of their workspaces (npm, Yarn, pnpm). */
export async function npmPackages(files: ManifestFiles): Promise<DeclaredPackage[]> {
  const found: DeclaredPackage[] = [];
  for (const root of outermost(files.paths, NAME)) {
    const file = fileIn(root, NAME);
    const json = await readPackageJson(files, file);
    const pnpm = await readPnpmWorkspace(files, fileIn(root, 'pnpm-workspace.yaml'));
    if (json !== null) found.push(packageOf(files, file, json, pnpm));
    const patterns = pnpm?.packages ?? (json === null ? [] : workspacePatterns(files, file, json));
    for (const folder of selected(files.paths, root, NAME, patterns)) {
      const member = fileIn(folder, NAME);
      const content = await readPackageJson(files, member);
      if (content !== null) found.push(packageOf(files, member, content, pnpm));
    }
  }
  return found;
}

async function readPackageJson(files: ManifestFiles, file: string): Promise<JsonValue | null> {
  const text = await files.read(file);
  const json = text === null ? null : parseJson(files, file, text);
  if (json === null || json.type === 'object') return json;
  files.report('invalid', file, json.line, 'A package.json is an object.');
  return null;
}

/** Yarn also has an object with the patterns under `packages`. */
function workspacePatterns(files: ManifestFiles, file: string, json: JsonValue): string[] {
  const workspaces = json.members.get('workspaces');
  const list = workspaces?.type === 'object' ? workspaces.members.get('packages') : workspaces;
  if (list === undefined) return [];
  if (list.type !== 'array') {
    files.report('invalid', file, list.line, '`workspaces` is not a list of patterns.');
    return [];
  }
  return usablePatterns(
    list.elements.map(({ value }) => value),
    (message) => files.report('invalid', file, list.line, message),
  );
}

function packageOf(files: ManifestFiles, file: string, json: JsonValue, pnpm: PnpmWorkspace | null): DeclaredPackage {
  const dependencies: Dependency[] = [];
  const seen = new Set<string>();
  for (const [field, kind] of FIELDS) {
    const members = json.members.get(field);
    if (members === undefined) continue;
    if (members.type !== 'object') {
      files.report('invalid', file, members.line, `\`${field}\` is not an object.`);
      continue;
    }
    for (const [name, value] of members.members) {
      // npm install writes optional ones into both fields; a peer can be a dev dependency too, which is two facts
      if (kind === 'normal' && seen.has(name)) continue;
      if (typeof value.value !== 'string') {
        files.report('invalid', file, value.line, `The requirement of ${JSON.stringify(name)} is not a string.`);
        continue;
      }
      seen.add(name);
      dependencies.push(dependencyOf(files, file, name, value.value, value.line, kind, pnpm));
    }
  }
  return {
    ecosystem: 'npm',
    name: textOf(files, file, json, 'name'),
    version: textOf(files, file, json, 'version'),
    path: folderOf(file),
    file,
    dependencies: dependencies.sort((a, b) => a.line - b.line),
  };
}

function textOf(files: ManifestFiles, file: string, json: JsonValue, key: string): string | null {
  const value = json.members.get(key);
  if (value === undefined || typeof value.value === 'string') return value?.value?.toString() || null;
  files.report('invalid', file, value.line, `\`${key}\` is not a string.`);
  return null;
}

type Origin = Pick<Dependency, 'name' | 'alias' | 'requirement' | 'source' | 'location'>;

function dependencyOf(
  files: ManifestFiles,
  file: string,
  name: string,
  raw: string,
  line: number,
  kind: DependencyKind,
  pnpm: PnpmWorkspace | null,
): Dependency {
  const unknown: Origin = { name, alias: null, requirement: null, source: 'unknown', location: null };
  let origin: Origin | null = null;
  const catalog = /^catalog:(.*)$/.exec(raw)?.[1]?.trim();
  const written = catalog === undefined ? raw : pnpm?.catalogs.get(catalog || 'default')?.get(name);
  if (written === undefined) {
    files.report('unresolved', file, line, `${name}: pnpm-workspace.yaml has no ${raw} with this package.`);
  } else {
    origin = originOf(name, written);
    if (origin === null) {
      files.report('invalid', file, line, `${name}: npm has no requirements of the form ${JSON.stringify(written)}.`);
    }
  }
  return { ...(origin ?? unknown), kind, isDirect: true, raw, line, span: null, options: [] };
}

/** What npm, Yarn and pnpm understand by a requirement; null when nothing. */
function originOf(name: string, written: string): Origin | null {
  const workspace = /^workspace:(.*)$/.exec(written)?.[1]?.trim();
  if (workspace !== undefined) return originInWorkspace(name, workspace);
  // pnpm and Yarn: folders that are linked; npm-package-arg would take them for unknown protocols
  const linked = /^(?:link|portal):(.*)$/.exec(written)?.[1];
  const none = { name, alias: null, requirement: null, location: null };
  if (linked !== undefined) return { ...none, source: 'path', location: linked };
  // what npm takes for a range has neither; its parser would make several URLs of it first
  if (!/[:/]/.test(written) && validRange(written, { loose: true }) !== null) {
    return { ...none, requirement: written.trim() || '*', source: 'registry' };
  }
  let parsed;
  try {
    parsed = npa.resolve(name, written, '/');
  } catch {
    return null;
  }
  switch (parsed.type) {
    case 'version':
    case 'range':
    case 'tag':
      return { ...none, requirement: written.trim() || '*', source: 'registry' };
    case 'alias': {
      const { subSpec } = parsed;
      if (subSpec.name === null) return null;
      return { ...none, name: subSpec.name, alias: name, requirement: subSpec.rawSpec || '*', source: 'registry' };
    }
    case 'directory':
    case 'file':
      return { ...none, source: 'path', location: written.replace(/^file:(?:\/\/)?/, '') };
    case 'git': {
      const { gitRange } = parsed as npa.HostedGitResult;
      return { ...none, requirement: gitRange ?? null, source: 'git', location: written };
    }
    case 'remote':
      return { ...none, source: 'url', location: written };
  }
}

/** `workspace:^1.0.0`, `workspace:*`, `workspace:../folder`, `workspace:other@^1.0.0`. */
function originInWorkspace(name: string, written: string): Origin | null {
  if (/^\.{0,2}\//.test(written)) {
    return { name, alias: null, requirement: null, source: 'workspace', location: written };
  }
  const aliased = /^((?:@[^/@]+\/)?[^/@]+)@(.+)$/.exec(written);
  const [, target = name, range = written] = aliased ?? [];
  return {
    name: target,
    alias: target === name ? null : name,
    requirement: range === '^' || range === '~' || range === '' ? '*' : range,
    source: 'workspace',
    location: null,
  };
}
