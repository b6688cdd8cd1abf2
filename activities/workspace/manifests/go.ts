import { posix } from 'node:path';
import type { Dependency } from '../../../domain/workspace/package-manifest.ts';
import { type GoDirective, parseGoMod } from './go-mod.ts';
import type { DeclaredPackage, ManifestFiles } from './manifest-files.ts';
import { fileIn, folderOf, insideRepository } from './member-folders.ts';

/** Folders that the go command passes over (`go help packages`), and copies. */
const PASSED_OVER = /(?:^|\/)(?:vendor|testdata|[_.][^/]+)(?:\/|$)/;

/** Keywords of go.mod and go.work, with the least and most words that follow. */
const WORDS: Readonly<Record<string, readonly [number, number]>> = {
  module: [1, 1],
  go: [1, 1],
  toolchain: [1, 1],
  godebug: [1, Number.POSITIVE_INFINITY],
  require: [2, 2],
  exclude: [2, 2],
  replace: [3, 5],
  retract: [1, Number.POSITIVE_INFINITY],
  tool: [1, 1],
  ignore: [1, 1],
  use: [1, 1],
};

interface Replacement {
  readonly version: string | null;
  readonly target: string;
  readonly targetVersion: string | null;
}

/** What is replaced by what, by module path. */
type Replacements = ReadonlyMap<string, readonly Replacement[]>;

interface GoModule {
  readonly file: string;
  readonly path: string | null;
  readonly directives: readonly GoDirective[];
}

/** The Go modules of a repository. A go.work at its root tells which of them are used from their folders. */
export async function goPackages(files: ManifestFiles): Promise<DeclaredPackage[]> {
  const modules: GoModule[] = [];
  for (const file of files.paths) {
    if (posix.basename(file) !== 'go.mod' || PASSED_OVER.test(folderOf(file))) continue;
    const directives = await directivesOf(files, file);
    if (directives === null) continue;
    const path = directives.find(({ keyword }) => keyword === 'module')?.words[0] ?? null;
    if (path === null) files.report('invalid', file, null, 'A go.mod has a `module`.');
    modules.push({ file, path, directives });
  }
  const work = files.paths.has('go.work') ? ((await directivesOf(files, 'go.work')) ?? []) : [];
  const used = usedModules(files, work, modules);
  const shared = replacementsIn(work);
  return modules.map(({ file, path, directives }) => {
    const own = replacementsIn(directives);
    return {
      ecosystem: 'go',
      name: path,
      version: null,
      path: folderOf(file),
      file,
      dependencies: directives
        .filter(({ keyword }) => keyword === 'require')
        .map((directive) => dependencyOf(directive, used, shared, own)),
    };
  });
}

/** Null when the file cannot be read or is not in the grammar, which is reported. */
async function directivesOf(files: ManifestFiles, file: string): Promise<GoDirective[] | null> {
  const text = await files.read(file);
  if (text === null) return null;
  const { directives, errors } = parseGoMod(text);
  const [error] = errors;
  if (error !== undefined) {
    files.report('syntax', file, error.line, `This is not valid: ${error.message}.`);
    return null;
  }
  for (const { keyword, words, line } of directives) {
    const [least, most] = WORDS[keyword] ?? [];
    const isValid =
      least !== undefined &&
      most !== undefined &&
      words.length >= least &&
      words.length <= most &&
      (keyword !== 'replace' || [1, 2].includes(words.indexOf('=>')));
    if (isValid) continue;
    const what = least === undefined ? `there is no directive ${keyword}` : `${keyword} has other words`;
    files.report('syntax', file, line, `This is not valid: ${what}.`);
    return null;
  }
  return directives;
}

/** The paths of the modules that a go.work uses. */
function usedModules(
  files: ManifestFiles,
  work: readonly GoDirective[],
  modules: readonly GoModule[],
): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { keyword, words, line } of work) {
    if (keyword !== 'use') continue;
    const folder = insideRepository('.', words[0] ?? '');
    const found = modules.find(({ file }) => folder !== null && file === fileIn(folder, 'go.mod'));
    if (found?.path) used.add(found.path);
    else files.report('unresolved', 'go.work', line, `The repository has no go.mod in ${words[0]}.`);
  }
  return used;
}

function replacementsIn(directives: readonly GoDirective[]): Replacements {
  const all = new Map<string, Replacement[]>();
  for (const { keyword, words } of directives) {
    if (keyword !== 'replace') continue;
    const arrow = words.indexOf('=>');
    const [path = '', version = null] = words.slice(0, arrow);
    const [target = '', targetVersion = null] = words.slice(arrow + 1);
    all.set(path, [...(all.get(path) ?? []), { version, target, targetVersion }]);
  }
  return all;
}

function dependencyOf(
  { words, comment, line, raw }: GoDirective,
  used: ReadonlySet<string>,
  shared: Replacements,
  own: Replacements,
): Dependency {
  const [name = '', requirement = ''] = words;
  const find = (replacements: Replacements): Replacement | undefined => {
    const all = replacements.get(name) ?? [];
    return all.find(({ version }) => version === requirement) ?? all.find(({ version }) => version === null);
  };
  // a workspace prefers its modules, then its own replacements
  const replacement = used.has(name) ? undefined : (find(shared) ?? find(own));
  const isFolder = replacement !== undefined && /^(?:\.{1,2}(?:\/|$)|\/)/.test(replacement.target);
  return {
    name: replacement === undefined || isFolder ? name : replacement.target,
    alias: replacement === undefined || isFolder || replacement.target === name ? null : name,
    requirement: replacement?.targetVersion ?? requirement,
    kind: 'normal',
    source: used.has(name) ? 'workspace' : isFolder ? 'path' : 'registry',
    location: isFolder ? replacement.target : null,
    isDirect: !/^indirect(?:$|;\s)/.test(comment),
    raw,
    line,
    span: null,
    options: [],
  };
}
