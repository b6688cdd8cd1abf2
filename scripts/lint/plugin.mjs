// Lint rules of this repository: which layer may import which (docs/architecture.md), and where a workflow type may be written.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Each wing has a folder of this name in the layers that it needs. Wings never import each other. */
export const WINGS = ['catalog', 'release', 'workspace', 'delivery', 'upkeep', 'insight'];

/** Folders of `domain/`, from the bottom up: each imports only those before it. All wings share one level. */
export const DOMAIN = ['shared', 'gates', 'git', 'forge', 'fleet', 'kubernetes', 'wing', 'config'];

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

/** Parts of a wing outside of its folders: agents and forges have one address for all wings. */
const PARTS_OF_WINGS = {
  'client/mcp/': 'catalog',
  'client/gateway/webhooks.ts': 'catalog',
  'client/gateway/repository-filter.ts': 'catalog',
};

/** The files of `client/` and `workers/` that combine the parts of all wings. */
const COMBINING = [
  'workers/wings.ts',
  'client/cli/program.ts',
  'client/console/pages.ts',
  'client/gateway/server.ts',
  'client/index.ts',
];

/** The layer, part and wing of a path inside the repository. */
function placeOf(path) {
  const [layer, ...rest] = path.split('/');
  // client/cli/catalog, client/console/catalog and test/unit/catalog belong to the wing, like domain/catalog
  const at = layer === 'test' || (layer === 'client' && ['cli', 'console'].includes(rest[0])) ? 1 : 0;
  const [, owner] = Object.entries(PARTS_OF_WINGS).find(([part]) => path.startsWith(part)) ?? [];
  const wing = owner ?? (rest.length > at + 1 && WINGS.includes(rest[at]) ? rest[at] : null);
  return { path, layer, part: rest.length > 1 ? rest[0] : '', wing };
}

/** Why the file `from` may not import the file `to`, both paths inside the repository; null when it may. */
export function refusal(fromPath, toPath, isType) {
  const [from, to] = [placeOf(fromPath), placeOf(toPath)];
  if (from.layer === 'test') return refusalInTests(from, to);
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
  // few files combine the parts of all wings in a process
  if (['workers', 'client'].includes(from.layer) && from.wing === null && to.wing !== null) {
    if (!COMBINING.includes(from.path)) {
      const combining = COMBINING.filter((path) => path.startsWith(`${from.layer}/`)).join(', ');
      return `${from.layer}/ is independent of wings: only ${combining} may import ${to.path}`;
    }
  }
  if (
    from.layer === 'client' &&
    to.layer === 'client' &&
    to.part === 'cli' &&
    from.part !== 'cli' &&
    from.part !== ''
  ) {
    return `client/${from.part}/ may not import client/cli/`;
  }
  return null;
}

/** Helpers for the tests of all wings know none of them, and the tests of a wing use no other. */
function refusalInTests(from, to) {
  if (from.wing !== null && to.wing !== null && from.wing !== to.wing) {
    return `tests of the wing ${from.wing} may not import the wing ${to.wing}`;
  }
  if (from.part === 'support' && from.wing === null && to.wing !== null) {
    return `test/support/ is independent of wings: only test/support/${to.wing}/ may import ${to.path}`;
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
    const report = (node, type) =>
      context.report({
        node,
        message: `the workflow type ${type} is declared in ${relative(root, flows.get(type))}: refer to the declaration`,
      });
    return {
      Literal(node) {
        const file = flows.get(node.value);
        if (file === undefined) return;
        const { parent } = node;
        if (context.filename === file && parent.type === 'Property' && parent.key.name === 'type') return;
        report(node, node.value);
      },
      // part of an id or a summary, such as `syncRepository ${name}`; a declaration may name its own type
      TemplateElement(node) {
        for (const word of node.value.raw.match(/\w+/g) ?? []) {
          if (flows.has(word) && flows.get(word) !== context.filename) report(node, word);
        }
      },
    };
  },
};

export default { meta: { name: 'longhaul' }, rules: { layers, 'flow-types': flowTypes } };
