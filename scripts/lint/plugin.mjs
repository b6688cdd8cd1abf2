// Lint rules of this repository: which layer may import which (docs/architecture.md), and where a workflow type may be written.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Each wing has a folder of this name in the layers that it needs. Wings never import each other. */
export const WINGS = ['catalog', 'release', 'workspace', 'delivery', 'upkeep', 'insight'];

/** Folders of `domain/`, from the bottom up: each imports only those before it. All wings share one level. */
export const DOMAIN = ['shared', 'git', 'forge', 'fleet', 'wing', 'config'];

/** Which layers a layer may import, in addition to itself; `types` only with `import type`. */
export const LAYERS = {
  platform: {},
  domain: {},
  workflows: { allowed: ['domain'], types: ['activities'] },
  activities: { allowed: ['domain', 'platform'] },
  stack: { allowed: ['platform'] },
  workers: { allowed: ['domain', 'platform', 'workflows', 'activities', 'stack'] },
  client: { allowed: ['domain', 'platform', 'activities', 'stack'], types: ['workflows'] },
};

/** The layer, part and wing of a path inside the repository. */
function placeOf(path) {
  const [layer, ...rest] = path.split('/');
  // client/cli/catalog belongs to the wing, like domain/catalog
  const at = layer === 'client' && rest[0] === 'cli' ? 1 : 0;
  const wing = rest.length > at + 1 && WINGS.includes(rest[at]) ? rest[at] : null;
  return { path, layer, part: rest.length > 1 ? rest[0] : '', wing };
}

/** Why the file `from` may not import the file `to`, both paths inside the repository; null when it may. */
export function refusal(fromPath, toPath, isType) {
  const [from, to] = [placeOf(fromPath), placeOf(toPath)];
  const rules = LAYERS[from.layer];
  if (rules === undefined || LAYERS[to.layer] === undefined) return null;
  if (from.layer !== to.layer) {
    const allowed = [...(rules.allowed ?? []), ...(isType ? (rules.types ?? []) : [])];
    if (!allowed.includes(to.layer)) return `${from.layer}/ may not import ${to.layer}/`;
  }
  if (from.wing !== null && to.wing !== null && from.wing !== to.wing) {
    return `the wing ${from.wing} may not import the wing ${to.wing}`;
  }
  if (from.layer === 'domain' && to.layer === 'domain') {
    // a file at the top level combines the declarations of all wings
    const level = ({ wing, part }) => (part === '' ? DOMAIN.length : DOMAIN.indexOf(wing === null ? part : 'wing'));
    if (level(to) > level(from)) return `domain/${from.part}/ may not import domain/${to.part}/, which is above it`;
  }
  const isSystem = from.layer === 'activities' && from.wing === null;
  // the index is a system, but its rules are in domain/catalog
  const isOwnSubject = from.part === 'index' && /^domain\/catalog\/(index|search)\//.test(to.path);
  if (to.wing !== null && !isOwnSubject && (isSystem || (from.layer === 'workflows' && from.part === 'shared'))) {
    return `${from.layer}/${from.part}/ is independent of wings and may not import ${to.path}`;
  }
  // one file combines the parts of all wings in a process
  if (from.layer === 'workers' && to.wing !== null && from.path !== 'workers/wings.ts') {
    return `workers/ is independent of wings: only workers/wings.ts may import ${to.path}`;
  }
  if (
    from.layer === 'client' &&
    to.layer === 'client' &&
    to.part === 'cli' &&
    ['gateway', 'mcp', 'core'].includes(from.part)
  ) {
    return `client/${from.part}/ may not import client/cli/`;
  }
  return null;
}

const layers = {
  create(context) {
    const from = relative(root, context.filename);
    const check = (node) => {
      const source = node.source?.value;
      if (typeof source !== 'string' || !source.startsWith('.')) return;
      const to = relative(root, resolve(dirname(context.filename), source));
      const kinds = (node.specifiers ?? []).map(({ importKind, exportKind }) => importKind ?? exportKind);
      const isType =
        (node.importKind ?? node.exportKind) === 'type' || (kinds.length > 0 && kinds.every((kind) => kind === 'type'));
      const why = refusal(from, to, isType);
      if (why !== null) context.report({ node, message: `${why} (docs/architecture.md, Layers)` });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

/** Workflow types, each with the file of `domain/` that declares it. */
function declaredFlows() {
  const flows = new Map();
  for (const entry of readdirSync(join(root, 'domain'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    for (const [, type] of readFileSync(file, 'utf8').matchAll(/defineFlow<[^(]*>\(\)\(\{\s*type: '(\w+)'/g))
      flows.set(type, file);
  }
  return flows;
}

/** A workflow type is written only once, in its declaration; other code refers to the declaration. */
const flowTypes = {
  create(context) {
    const { layer } = placeOf(relative(root, context.filename));
    if (LAYERS[layer] === undefined) return {};
    const flows = declaredFlows();
    const check = (node) => {
      const file = flows.get(node.value);
      if (file === undefined) return;
      const { parent } = node;
      if (context.filename === file && parent.type === 'Property' && parent.key.name === 'type') return;
      context.report({
        node,
        message: `the workflow type ${node.value} is declared in ${relative(root, file)}: refer to the declaration`,
      });
    };
    return { Literal: check };
  },
};

export default { meta: { name: 'longhaul' }, rules: { layers, 'flow-types': flowTypes } };
