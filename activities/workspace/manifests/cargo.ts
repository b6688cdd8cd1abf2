import { posix } from 'node:path';
import type { Dependency, DependencyKind } from '../../../domain/workspace/package-manifest.ts';
import type { DeclaredPackage, ManifestFiles } from './manifest-files.ts';
import { fileIn, folderOf, insideRepository, isBelow, outermost, selected } from './member-folders.ts';
import { usablePatterns } from './patterns.ts';
import { parseToml, type TomlPath, type TomlText } from './toml-text.ts';
import { isTable, tomlList, type TomlTable, tomlTable, tomlString, tomlValue } from './toml-values.ts';

const NAME = 'Cargo.toml';

const SECTIONS = [
  ['dependencies', 'normal'],
  ['dev-dependencies', 'dev'],
  ['dev_dependencies', 'dev'],
  ['build-dependencies', 'build'],
  ['build_dependencies', 'build'],
] as const;

/** A Cargo.toml, with the one whose `[workspace]` it belongs to. */
interface Manifest {
  readonly file: string;
  readonly toml: TomlText;
  readonly root: Manifest | null;
}

/**
 * The crates of a repository: those at its root, the members of their workspaces, and those that they name by `path`
 * and that are in the same repository.
 */
export async function cargoPackages(files: ManifestFiles): Promise<DeclaredPackage[]> {
  const found: DeclaredPackage[] = [];
  const done = new Set<string>();
  for (const folder of outermost(files.paths, NAME)) {
    const root = await manifestAt(files, folder, null);
    if (root === null) continue;
    done.add(folder);
    const waiting = [root];
    for (const member of memberFolders(files, folder, root.toml)) {
      const manifest = done.has(member) ? null : await manifestAt(files, member, root);
      done.add(member);
      if (manifest !== null) waiting.push(manifest);
    }
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const crate = crateOf(files, next);
      if (crate !== null) found.push(crate);
      for (const { source, location } of crate?.dependencies ?? []) {
        const at = source === 'path' && location !== null ? insideRepository(folderOf(next.file), location) : null;
        if (at === null || done.has(at) || !files.paths.has(fileIn(at, NAME))) continue;
        done.add(at);
        const manifest = await manifestAt(files, at, isBelow(at, folder) ? root : null);
        if (manifest !== null) waiting.push(manifest);
      }
    }
  }
  return found;
}

async function manifestAt(files: ManifestFiles, folder: string, root: Manifest | null): Promise<Manifest | null> {
  const file = fileIn(folder, NAME);
  const text = await files.read(file);
  const toml = text === null ? null : parseToml(files, file, text);
  if (toml === null) return null;
  // its own workspace, also within another
  return { file, toml, root: isTable(toml.values['workspace']) ? null : root };
}

function memberFolders(files: ManifestFiles, folder: string, toml: TomlText): string[] {
  const file = fileIn(folder, NAME);
  const patterns = usablePatterns(tomlList(toml, ['workspace', 'members']), (message) =>
    files.report('invalid', file, toml.lineOf(['workspace', 'members']), message),
  );
  const excluded = tomlList(toml, ['workspace', 'exclude']).flatMap((path) =>
    typeof path === 'string' ? [insideRepository(folder, path)] : [],
  );
  const members = selected(files.paths, folder, NAME, patterns);
  for (const [index, pattern] of patterns.entries()) {
    const literal = /[*?[]/.test(pattern) ? null : insideRepository(folder, pattern);
    if (literal === null || literal === folder || members.includes(literal)) continue;
    const line = toml.lineOf(['workspace', 'members', index]);
    files.report('unresolved', file, line, `The member ${pattern} has no Cargo.toml that git tracks.`);
  }
  return members.filter((member) => !excluded.some((path) => path !== null && isBelow(member, path)));
}

function crateOf(files: ManifestFiles, { file, toml, root }: Manifest): DeclaredPackage | null {
  if (!isTable(toml.values['package'])) {
    if (!isTable(toml.values['workspace'])) {
      files.report('invalid', file, null, 'A Cargo.toml has a `[package]` or a `[workspace]`.');
    }
    return null;
  }
  const workspace = root?.toml ?? toml;
  const isInherited = tomlValue(toml.values, ['package', 'version', 'workspace']) === true;
  const version = isInherited
    ? tomlString(workspace, ['workspace', 'package', 'version'])
    : (tomlString(toml, ['package', 'version']) ?? '0.0.0');
  if (version === null) {
    const line = toml.lineOf(['package', 'version']);
    files.report('unresolved', file, line, 'The workspace has no version for this package.');
  }
  const name = tomlString(toml, ['package', 'name']);
  if (name === null) files.report('invalid', file, toml.lineOf(['package']), '`[package]` has no `name`.');
  const targets = Object.keys(tomlTable(toml, ['target'])).map((target): TomlPath => ['target', target]);
  const dependencies = [[], ...targets].flatMap((path) =>
    SECTIONS.flatMap(([section, kind]) => dependenciesIn(files, { file, toml, root }, [...path, section], kind)),
  );
  return {
    ecosystem: 'cargo',
    name,
    version,
    path: folderOf(file),
    file,
    dependencies: dependencies.sort((a, b) => a.line - b.line),
  };
}

function dependenciesIn(files: ManifestFiles, manifest: Manifest, path: TomlPath, kind: DependencyKind): Dependency[] {
  const { file, toml } = manifest;
  return Object.entries(tomlTable(toml, path)).flatMap(([key, written]) => {
    const line = toml.lineOf([...path, key]);
    const given = typeof written === 'string' ? { version: written } : written;
    if (!isTable(given)) {
      files.report('invalid', file, line, `The requirement of ${key} is neither a text nor a table.`);
      return [];
    }
    const table = given['workspace'] === true ? inherited(files, manifest, key, given, line) : given;
    const raw = toml.rawOf([...path, key]);
    return [{ ...dependencyOf(key, table, kind), isDirect: true, raw, line, span: null, options: [] }];
  });
}

/** What the workspace says about a dependency that a member takes from it; null, reported, when it says nothing. */
function inherited(
  files: ManifestFiles,
  { file, toml, root }: Manifest,
  key: string,
  own: TomlTable,
  line: number,
): TomlTable | null {
  const workspace = root?.toml ?? toml;
  const written = tomlValue(workspace.values, ['workspace', 'dependencies', key]);
  const table = typeof written === 'string' ? { version: written } : written;
  if (!isTable(table)) {
    files.report('unresolved', file, line, `The workspace has no dependency ${key}.`);
    return null;
  }
  const { path } = table;
  // relative to the workspace's Cargo.toml there
  const from = folderOf(root?.file ?? file);
  const moved = typeof path === 'string' ? { path: posix.relative(folderOf(file), posix.join(from, path)) || '.' } : {};
  return { ...table, ...moved, optional: own['optional'] };
}

function dependencyOf(
  key: string,
  table: TomlTable | null,
  kind: DependencyKind,
): Pick<Dependency, 'name' | 'alias' | 'requirement' | 'kind' | 'source' | 'location'> {
  if (table === null) return { name: key, alias: null, requirement: null, kind, source: 'unknown', location: null };
  const text = (name: string): string | null => (typeof table[name] === 'string' ? table[name] : null);
  const [path, git, renamed] = [text('path'), text('git'), text('package')];
  const fallback = path === null && git === null ? '*' : null;
  return {
    name: renamed ?? key,
    alias: renamed === null || renamed === key ? null : key,
    requirement: text('version') ?? fallback,
    kind: table['optional'] === true && kind === 'normal' ? 'optional' : kind,
    source: path !== null ? 'path' : git !== null ? 'git' : 'registry',
    location: path ?? git,
  };
}
