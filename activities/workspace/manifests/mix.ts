import type { Node } from 'web-tree-sitter';
import type {
  Dependency,
  DependencyKind,
  DependencyOption,
  DependencySource,
  ManifestDiagnosticKind,
} from '../../../domain/workspace/package-manifest.ts';
import { argumentsOf, atomOf, calledName, pairOf, pairsOf, partsOf, readElixir, stringOf } from './elixir-syntax.ts';
import { DEEPEST_NESTING } from './limits.ts';
import type { DeclaredPackage, ManifestFiles } from './manifest-files.ts';
import { fileIn, folderOf, insideRepository, outermost } from './member-folders.ts';
import { mixModule, type MixModule } from './mix-project.ts';
import { linesOf } from './text-lines.ts';

const NAME = 'mix.exs';

/** What a mix.exs says, without nodes of its syntax tree. */
interface MixProject {
  readonly manifest: DeclaredPackage;
  /** The folder of the apps of an umbrella, as written. */
  readonly appsPath: string | null;
  /** The apps that an umbrella is limited to. */
  readonly apps: readonly string[] | null;
}

/** The Mix projects of a repository: those at its root, and the apps of an umbrella. No mix.exs is run. */
export async function mixPackages(files: ManifestFiles): Promise<DeclaredPackage[]> {
  const found: DeclaredPackage[] = [];
  for (const folder of outermost(files.paths, NAME)) {
    const root = await projectAt(files, fileIn(folder, NAME));
    if (root === null) continue;
    found.push(root.manifest);
    const apps = root.appsPath === null ? null : insideRepository(folder, root.appsPath);
    if (apps === null) continue;
    for (const path of files.paths) {
      const app = folderOf(path);
      if (path !== fileIn(app, NAME) || folderOf(app) !== apps || app === folder) continue;
      if (root.apps !== null && !root.apps.includes(app.slice(app.lastIndexOf('/') + 1))) continue;
      const project = await projectAt(files, path);
      if (project !== null) found.push(project.manifest);
    }
  }
  return found;
}

async function projectAt(files: ManifestFiles, file: string): Promise<MixProject | null> {
  const text = await files.read(file);
  if (text === null) return null;
  const lines = linesOf(text);
  const noticed: { kind: ManifestDiagnosticKind; at: number; message: string }[] = [];
  const read = await readElixir(text, (root) => {
    const module = mixModule(root);
    return (
      module &&
      projectOf(file, text, module, (kind, node, message) => noticed.push({ kind, at: node.startIndex, message }))
    );
  });
  if ('error' in read) {
    const { at, message } = read.error;
    files.report('syntax', file, at === null ? null : lines.lineAt(at), `This is not read: ${message}.`);
    return null;
  }
  for (const { kind, at, message } of noticed) files.report(kind, file, lines.lineAt(at), message);
  if (read.result === null) files.report('invalid', file, null, 'No module of this mix.exs defines `project`.');
  return read.result;
}

type Report = (kind: ManifestDiagnosticKind, node: Node, message: string) => void;

function projectOf(file: string, text: string, module: MixModule, report: Report): MixProject {
  const settings = settingsOf(module, report);
  const setting = (name: string): Node | null => settings.findLast(({ key }) => key === name)?.value ?? null;
  const literal = <T>(name: string, read: (node: Node) => T | null): T | null => {
    const node = setting(name);
    const value = node === null ? null : read(resolved(node, module));
    if (node !== null && value === null) report('computed', node, `\`${name}\` is computed: ${shown(node)}.`);
    return value;
  };
  const app = literal('app', atomOf);
  const version = literal('version', stringOf);
  const appsPath = literal('apps_path', stringOf);
  const apps = literal('apps', (node) => {
    const names = node.type === 'list' ? partsOf(node).map(atomOf) : [null];
    return names.includes(null) ? null : names.filter((name) => name !== null);
  });
  const deps = setting('deps');
  const dependencies = deps === null ? [] : dependenciesOf(text, deps, module, report);
  return {
    manifest: { ecosystem: 'hex', name: app, version, path: folderOf(file), file, dependencies },
    appsPath,
    apps,
  };
}

/** The pairs of the list that `project` returns. */
function settingsOf(module: MixModule, report: Report): ReturnType<typeof pairsOf> {
  const project = module.functionOf('project');
  if (project.value === null) {
    const [first] = module.body;
    if (first !== undefined) report('computed', first, `The settings are computed: ${project.why}.`);
    return [];
  }
  return listsIn(project.value, module, (node, why) =>
    report('computed', node, `Settings are computed: ${why}.`),
  ).flatMap(pairsOf);
}

/**
 * The literal lists of an expression: a list, lists joined by `++`, or a function of the module that returns one. Other
 * operands go to `refuse`.
 */
function listsIn(
  node: Node,
  module: MixModule,
  refuse: (node: Node, why: string) => void,
  called: readonly string[] = [],
  depth = 0,
): Node[] {
  if (depth > DEEPEST_NESTING) {
    refuse(node, 'expressions are nested too deep');
    return [];
  }
  if (node.type === 'list') return [node];
  if (node.type === 'block' && partsOf(node).length === 1) {
    const [inside] = partsOf(node);
    if (inside !== undefined) return listsIn(inside, module, refuse, called, depth + 1);
  }
  if (node.type === 'binary_operator' && node.childForFieldName('operator')?.text === '++') {
    return partsOf(node).flatMap((operand) => listsIn(operand, module, refuse, called, depth + 1));
  }
  const attribute = attributeIn(node);
  if (attribute !== null) {
    const value = module.attribute(attribute);
    if (value !== null && value.type === 'list') return [value];
  }
  const name = calledName(node);
  if (name !== null && argumentsOf(node).length === 0 && !called.includes(name)) {
    const found = module.functionOf(name);
    if (found.value !== null) return listsIn(found.value, module, refuse, [...called, name], depth + 1);
    refuse(node, `${shown(node)}, but ${found.why}`);
  } else refuse(node, shown(node));
  return [];
}

/** The name of `@name`; null for any other node. */
function attributeIn(node: Node): string | null {
  const [inside] = node.type === 'unary_operator' && node.text.startsWith('@') ? partsOf(node) : [];
  return inside?.type === 'identifier' ? inside.text : null;
}

/** What `@name` is set to, when the module sets it once; the node itself for anything else. */
function resolved(node: Node, module: MixModule): Node {
  const attribute = attributeIn(node);
  return (attribute === null ? null : module.attribute(attribute)) ?? node;
}

function dependenciesOf(text: string, deps: Node, module: MixModule, report: Report): Dependency[] {
  const lists = listsIn(deps, module, (node, why) =>
    report('computed', node, `Dependencies are computed, so these are not read: ${why}.`),
  );
  const bytes = byteOffsets(text);
  return lists
    .flatMap((list) => partsOf(list))
    .flatMap((node) => (node.type === 'keywords' ? partsOf(node) : [node]))
    .flatMap((node) => {
      const found = dependencyOf(node, module, report);
      if (found === null) return [];
      const span = { start: bytes(node.startIndex), end: bytes(node.endIndex) };
      return [{ ...found, isDirect: true, raw: node.text, line: node.startPosition.row + 1, span }];
    });
}

type Read = Omit<Dependency, 'isDirect' | 'raw' | 'line' | 'span'>;

/** `{:name, "requirement", options}`, or the same as a pair of the list: `name: "requirement"`. */
function dependencyOf(node: Node, module: MixModule, report: Report): Read | null {
  const pair = pairOf(node);
  const [first, ...rest] = node.type === 'tuple' ? partsOf(node) : [];
  const name = pair?.key ?? (first === undefined ? null : atomOf(first));
  const values = pair === null ? rest : [pair.value];
  if (name === null) {
    report('computed', node, `A dependency is computed: ${shown(node)}.`);
    return null;
  }
  const last = values.at(-1);
  const options = last !== undefined && isOptions(last) ? pairsOf(last) : [];
  const positional = last !== undefined && isOptions(last) ? values.slice(0, -1) : values;
  const kept = options.map(({ key, value }): DependencyOption => ({ name: key, raw: value.text }));
  const computed = (what: Node): Read => {
    report('computed', what, `${name}: this part of the dependency is computed: ${shown(what)}.`);
    return {
      name,
      alias: null,
      requirement: null,
      kind: 'normal',
      source: 'unknown',
      location: null,
      options: kept,
    };
  };
  const [required, more] = positional;
  if (more !== undefined) return computed(more);
  const requirement = required === undefined ? null : stringOf(resolved(required, module));
  if (required !== undefined && requirement === null) return computed(required);
  const facts: Record<string, string | boolean | readonly string[]> = {};
  for (const { key, value } of options) {
    if (!TELLING.has(key)) continue;
    const fact = factOf(resolved(value, module));
    if (fact === null) return computed(value);
    facts[key] = fact;
  }
  return { name, alias: null, requirement, ...originOf(name, facts), kind: kindOf(facts), options: kept };
}

/** Options that say where a dependency comes from, or what for. */
const TELLING = new Set(['path', 'git', 'github', 'in_umbrella', 'hex', 'only', 'optional']);

/** A literal text, atom, list of atoms, or truth; null for anything else. */
function factOf(node: Node): string | boolean | readonly string[] | null {
  if (node.type === 'boolean') return node.text === 'true';
  if (node.type === 'list') {
    const atoms = partsOf(node).map(atomOf);
    return atoms.includes(null) ? null : atoms.filter((atom) => atom !== null);
  }
  return stringOf(node) ?? atomOf(node);
}

function originOf(
  name: string,
  facts: Readonly<Record<string, string | boolean | readonly string[]>>,
): Partial<Pick<Dependency, 'name' | 'alias'>> & { source: DependencySource; location: string | null } {
  const text = (key: string): string | null => (typeof facts[key] === 'string' ? facts[key] : null);
  if (facts['in_umbrella'] === true) return { source: 'workspace', location: null };
  const path = text('path');
  if (path !== null) return { source: 'path', location: path };
  const github = text('github');
  const git = text('git') ?? (github === null ? null : `https://github.com/${github}.git`);
  if (git !== null) return { source: 'git', location: git };
  const hex = text('hex');
  return { source: 'hex', location: null, ...(hex !== null && hex !== name && { name: hex, alias: name }) };
}

function kindOf(facts: Readonly<Record<string, string | boolean | readonly string[]>>): DependencyKind {
  const { only, optional } = facts;
  const environments = typeof only === 'string' ? [only] : Array.isArray(only) ? (only as readonly string[]) : null;
  if (environments !== null && !environments.includes('prod')) return 'dev';
  return optional === true ? 'optional' : 'normal';
}

function isOptions(node: Node): boolean {
  if (node.type === 'keywords') return true;
  return node.type === 'list' && partsOf(node).every(({ type }) => type === 'keywords');
}

/** The beginning of an expression, on one line. */
function shown(node: Node): string {
  const text = node.text.replaceAll(/\s+/g, ' ');
  return `\`${text.length > 80 ? `${text.slice(0, 80)}…` : text}\``;
}

/** Offsets in bytes of UTF-8 for offsets in UTF-16 units. */
function byteOffsets(text: string): (offset: number) => number {
  if (Buffer.byteLength(text) === text.length) return (offset) => offset;
  const bytes = new Uint32Array(text.length + 1);
  for (let at = 0, length = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // each half of a pair is two of its four bytes
    length += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code >= 0xd8_00 && code <= 0xdf_ff ? 2 : 3;
    bytes[at + 1] = length;
  }
  return (offset) => bytes[offset] ?? 0;
}
