import { posix } from 'node:path';
import type { Dependency, DependencyKind, DependencySource } from '../../../domain/workspace/package-manifest.ts';
import type { DeclaredPackage, ManifestFiles } from './manifest-files.ts';
import { fileIn, folderOf, outermost, selected } from './member-folders.ts';
import { usablePatterns } from './patterns.ts';
import { normalized, ofPoetry, parsePythonRequirement } from './python-requirement.ts';
import { parseToml, type TomlPath, type TomlText } from './toml-text.ts';
import { isTable, tomlList, tomlTable, tomlString, tomlValue } from './toml-values.ts';

const NAME = 'pyproject.toml';
const UV_WORKSPACE = ['tool', 'uv', 'workspace'];
const UV_SOURCES = ['tool', 'uv', 'sources'];
const POETRY = ['tool', 'poetry'];

/** Where `tool.uv.sources` or Poetry says that a package comes from, with folders relative to the reader. */
interface Origin {
  readonly source: DependencySource;
  readonly location: string | null;
}

/** The Python projects of a repository: those at its root, and the members of their uv workspaces. */
export async function pythonPackages(files: ManifestFiles): Promise<DeclaredPackage[]> {
  const found: DeclaredPackage[] = [];
  for (const folder of outermost(files.paths, NAME)) {
    const file = fileIn(folder, NAME);
    const root = await tomlAt(files, file);
    if (root === null) continue;
    const add = (project: DeclaredPackage | null): unknown => project !== null && found.push(project);
    add(projectOf(files, file, root, null));
    const patterns = (key: string): string[] =>
      usablePatterns(tomlList(root, [...UV_WORKSPACE, key]), (message) =>
        files.report('invalid', file, root.lineOf([...UV_WORKSPACE, key]), message),
      );
    for (const member of selected(files.paths, folder, NAME, patterns('members'), patterns('exclude'))) {
      const toml = await tomlAt(files, fileIn(member, NAME));
      if (toml !== null) add(projectOf(files, fileIn(member, NAME), toml, { file, toml: root }));
    }
  }
  return found;
}

async function tomlAt(files: ManifestFiles, file: string): Promise<TomlText | null> {
  const text = await files.read(file);
  return text === null ? null : parseToml(files, file, text);
}

/** Null for a pyproject.toml that only configures tools. */
function projectOf(
  files: ManifestFiles,
  file: string,
  toml: TomlText,
  root: { readonly file: string; readonly toml: TomlText } | null,
): DeclaredPackage | null {
  const hasProject = isTable(toml.values['project']);
  const dynamic = hasProject ? tomlList(toml, ['project', 'dynamic']) : [];
  const poetry = tomlTable(toml, POETRY);
  /** What `[project]` leaves to Poetry is in its tables. */
  const isPoetrys = (field: string): boolean => !hasProject || (dynamic.includes(field) && field in poetry);
  const isPoetry = isPoetrys('dependencies');
  const name = tomlString(toml, [...(hasProject ? ['project'] : POETRY), 'name']);
  const version = tomlString(toml, [...(isPoetrys('version') ? POETRY : ['project']), 'version']);
  const sources = new Map([
    ...(root === null ? [] : sourcesIn(files, root.file, root.toml, folderOf(file))),
    ...sourcesIn(files, file, toml, folderOf(file)),
  ]);
  const dependencies = [
    ...(isPoetry ? [] : listed(files, file, toml, ['project', 'dependencies'], 'normal')),
    ...Object.keys(hasProject ? tomlTable(toml, ['project', 'optional-dependencies']) : {}).flatMap((extra) =>
      listed(files, file, toml, ['project', 'optional-dependencies', extra], 'optional'),
    ),
    ...Object.keys(tomlTable(toml, ['dependency-groups'])).flatMap((group) =>
      listed(files, file, toml, ['dependency-groups', group], 'dev'),
    ),
    ...listed(files, file, toml, ['tool', 'uv', 'dev-dependencies'], 'dev'),
    ...listed(files, file, toml, ['build-system', 'requires'], 'build'),
    ...poetryDependencies(files, file, toml, isPoetry),
  ];
  if (name === null && dependencies.every(({ kind }) => kind === 'build')) return null;
  for (const [index, field] of dynamic.entries()) {
    if (!['version', 'dependencies', 'optional-dependencies'].includes(String(field))) continue;
    if (isPoetrys(String(field))) continue;
    const line = toml.lineOf(['project', 'dynamic', index]);
    files.report('computed', file, line, `The build computes \`${String(field)}\`.`);
  }
  return {
    ecosystem: 'python',
    name: name === null ? null : normalized(name),
    version,
    path: folderOf(file),
    file,
    dependencies: dependencies
      .map((each) => ({ ...each, ...(each.source === 'registry' && sources.get(each.name)) }))
      .sort((a, b) => a.line - b.line),
  };
}

/** The requirements in a list; a group of PEP 735 may also include others, which are read where they are. */
function listed(
  files: ManifestFiles,
  file: string,
  toml: TomlText,
  path: TomlPath,
  kind: DependencyKind,
): Dependency[] {
  const all = tomlList(toml, path);
  const some = all.slice(0, files.pythonRequirementsLeft);
  files.pythonRequirementsLeft -= some.length;
  if (some.length < all.length) {
    const line = toml.lineOf([...path, some.length]);
    files.report(
      'too_large',
      file,
      line,
      'The repository has too many requirements: this and later ones are not read.',
    );
  }
  return some.flatMap((written, index) => {
    const line = toml.lineOf([...path, index]);
    if (path[0] === 'dependency-groups' && isTable(written) && 'include-group' in written) return [];
    const parsed = typeof written === 'string' ? parsePythonRequirement(written) : null;
    if (parsed === null || typeof written !== 'string') {
      files.report('invalid', file, line, `This is no requirement as in PEP 508: ${shortened(written)}.`);
      return [];
    }
    const origin: Origin = parsed.url === null ? { source: 'registry', location: null } : originOfUrl(parsed.url);
    return [dependency(parsed.name, parsed.specifier, kind, origin, written, line)];
  });
}

function originOfUrl(url: string): Origin {
  if (url.startsWith('file:')) return { source: 'path', location: url.replace(/^file:(?:\/\/)?/, '') };
  return url.startsWith('git+') ? { source: 'git', location: url } : { source: 'url', location: url };
}

function dependency(
  name: string,
  requirement: string | null,
  kind: DependencyKind,
  origin: Origin,
  raw: string,
  line: number,
): Dependency {
  return { name, alias: null, requirement, kind, ...origin, isDirect: true, raw, line, span: null, options: [] };
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** `tool.uv.sources`, with folders relative to `reader`. */
function sourcesIn(files: ManifestFiles, file: string, toml: TomlText, reader: string): [string, Origin][] {
  return Object.entries(tomlTable(toml, UV_SOURCES)).flatMap(([name, written]): [string, Origin][] => {
    if (Array.isArray(written)) {
      const line = toml.lineOf([...UV_SOURCES, name]);
      files.report('computed', file, line, `The source of ${name} depends on the environment.`);
      return [[normalized(name), { source: 'unknown', location: null }]];
    }
    const origin = isTable(written) ? originOf(written, folderOf(file), reader) : null;
    return origin === null ? [] : [[normalized(name), origin]];
  });
}

function originOf(table: Readonly<Record<string, unknown>>, folder: string, reader: string): Origin | null {
  const { workspace, path, git, url } = table;
  if (workspace === true) return { source: 'workspace', location: null };
  if (typeof path === 'string') {
    const moved = folder === reader || posix.isAbsolute(path) ? path : posix.relative(reader, posix.join(folder, path));
    return { source: 'path', location: moved || '.' };
  }
  if (typeof git === 'string') return { source: 'git', location: git };
  return typeof url === 'string' ? { source: 'url', location: url } : null;
}

/**
 * Tables of Poetry: the dependencies of a project without `[project]`, and its groups. With `[project]` they only say
 * more about what is listed there.
 */
function poetryDependencies(files: ManifestFiles, file: string, toml: TomlText, isPoetry: boolean): Dependency[] {
  const groups = Object.keys(tomlTable(toml, [...POETRY, 'group'])).map((group): TomlPath => [
    ...POETRY,
    'group',
    group,
    'dependencies',
  ]);
  const tables: (readonly [TomlPath, DependencyKind])[] = [
    ...(isPoetry ? [[[...POETRY, 'dependencies'], 'normal'] as const] : []),
    [[...POETRY, 'dev-dependencies'], 'dev'],
    ...groups.map((path) => [path, 'dev'] as const),
  ];
  return tables.flatMap(([path, kind]) =>
    Object.entries(tomlTable(toml, path)).flatMap(([key, written]) => {
      // the interpreter
      if (normalized(key) === 'python') return [];
      const line = toml.lineOf([...path, key]);
      const raw = toml.rawOf([...path, key]);
      if (typeof written === 'string') {
        return [dependency(normalized(key), ofPoetry(written), kind, REGISTRY, raw, line)];
      }
      if (Array.isArray(written)) {
        files.report('computed', file, line, `The requirement of ${key} depends on the environment.`);
        return [dependency(normalized(key), null, kind, { source: 'unknown', location: null }, raw, line)];
      }
      if (!isTable(written)) {
        files.report('invalid', file, line, `The requirement of ${key} is neither a text nor a table.`);
        return [];
      }
      const version = tomlValue(written, ['version']);
      const specifier = typeof version === 'string' ? ofPoetry(version) : null;
      const origin = originOf(written, '.', '.') ?? REGISTRY;
      const actual = written['optional'] === true && kind === 'normal' ? 'optional' : kind;
      return [dependency(normalized(key), specifier, actual, origin, raw, line)];
    }),
  );
}

const REGISTRY: Origin = { source: 'registry', location: null };
