import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { DEEPEST_NESTING } from './limits.ts';
import type { ManifestFiles } from './manifest-files.ts';
import { usablePatterns } from './patterns.ts';

/** What a pnpm-workspace.yaml says about packages. */
export interface PnpmWorkspace {
  /** Glob patterns of the members' folders. */
  readonly packages: readonly string[];
  /** Requirements by package, for each catalog by name; the unnamed one is `default`. */
  readonly catalogs: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Reads a pnpm-workspace.yaml; null when there is none, or when it is not valid, which is reported. */
export async function readPnpmWorkspace(files: ManifestFiles, file: string): Promise<PnpmWorkspace | null> {
  const text = files.paths.has(file) ? await files.read(file) : null;
  if (text === null) return null;
  const lines = new LineCounter();
  const lineOf = (offset: number | undefined): number | null =>
    offset === undefined ? null : lines.linePos(offset).line;
  if (isTooDeep(text)) {
    files.report('syntax', file, null, `Collections are nested more than ${DEEPEST_NESTING} levels deep.`);
    return null;
  }
  // nodes are read as they are, so aliases are never expanded
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent', prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const kind = error.code === 'DUPLICATE_KEY' ? 'duplicate' : 'syntax';
    files.report(kind, file, lineOf(error.pos[0]), `This is not valid YAML: ${error.message}.`);
    return null;
  }
  const root = document.contents;
  const invalid = (what: string, node: unknown): void => {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    files.report('invalid', file, lineOf(range?.[0]), what);
  };
  if (root === null) return { packages: [], catalogs: new Map() };
  if (!isMap(root)) {
    invalid('A pnpm-workspace.yaml is a mapping.', root);
    return null;
  }
  const packages = root.get('packages', true);
  if (packages !== undefined && !isSeq(packages)) invalid('`packages` is not a list of patterns.', packages);

  function requirements(map: unknown, name: string): ReadonlyMap<string, string> {
    if (!isMap(map)) {
      invalid(`The catalog ${name} is not a mapping.`, map);
      return new Map();
    }
    return new Map(
      entriesOf(map).flatMap(([key, value]) => {
        if (isScalar(value) && typeof value.value === 'string') return [[key, value.value] as const];
        invalid(`The requirement of ${key} is not a string.`, value);
        return [];
      }),
    );
  }

  const catalogs = new Map<string, ReadonlyMap<string, string>>();
  const named = root.get('catalogs', true);
  if (isMap(named)) for (const [name, map] of entriesOf(named)) catalogs.set(name, requirements(map, name));
  else if (named !== undefined) invalid('`catalogs` is not a mapping.', named);
  const unnamed = root.get('catalog', true);
  if (unnamed !== undefined) catalogs.set('default', requirements(unnamed, 'default'));
  return {
    packages: isSeq(packages)
      ? usablePatterns(
          packages.items.map((item) => (isScalar(item) ? item.value : null)),
          (message) => invalid(message, packages),
        )
      : [],
    catalogs,
  };
}

function entriesOf(map: YAMLMap): [string, unknown][] {
  return map.items.flatMap(({ key, value }) =>
    isScalar(key) ? [[String(key.value), value] as [string, unknown]] : [],
  );
}

/** True when brackets, or the dashes and question marks of a line, could make the parser recurse too deep. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
    if (depth > DEEPEST_NESTING) return true;
  }
  const inline = new RegExp(`^[ \\t]*(?:[-?:][ \\t]+){${DEEPEST_NESTING},}`, 'm');
  const indented = new RegExp(`^ {${DEEPEST_NESTING * 8},}\\S`, 'm');
  return inline.test(text) || indented.test(text);
}
