import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './model-files.ts';

/** Where a grammar comes from. The packages also carry compilers' food, so only these files go into the published package. */
interface GrammarSource {
  readonly wasm: string;
  /** Files of the packages that say what a definition is. */
  readonly tags: readonly string[];
  /** Files of `tags/` that say what those leave out. */
  readonly ownTags: readonly string[];
}

const JAVASCRIPT_TAGS = 'tree-sitter-javascript/queries/tags.scm';
const TYPESCRIPT_TAGS = [JAVASCRIPT_TAGS, 'tree-sitter-typescript/queries/tags.scm'];

const SOURCES: Readonly<Record<string, GrammarSource>> = {
  bash: { wasm: 'tree-sitter-bash/tree-sitter-bash.wasm', tags: [], ownTags: ['bash'] },
  c: official('c'),
  'c-sharp': { ...official('c-sharp'), wasm: 'tree-sitter-c-sharp/tree-sitter-c_sharp.wasm' },
  cpp: official('cpp'),
  go: official('go'),
  java: official('java'),
  javascript: official('javascript'),
  kotlin: { wasm: '@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm', tags: [], ownTags: ['kotlin'] },
  lua: {
    wasm: '@tree-sitter-grammars/tree-sitter-lua/tree-sitter-lua.wasm',
    tags: ['@tree-sitter-grammars/tree-sitter-lua/queries/tags.scm'],
    ownTags: [],
  },
  php: official('php'),
  python: { ...official('python'), ownTags: [] },
  ruby: official('ruby'),
  rust: official('rust'),
  scala: { ...official('scala'), ownTags: [] },
  tsx: {
    wasm: 'tree-sitter-typescript/tree-sitter-tsx.wasm',
    tags: TYPESCRIPT_TAGS,
    ownTags: ['javascript', 'typescript'],
  },
  typescript: {
    wasm: 'tree-sitter-typescript/tree-sitter-typescript.wasm',
    tags: TYPESCRIPT_TAGS,
    ownTags: ['javascript', 'typescript'],
  },
};

/** The languages that are cut along their syntax, by grammar name. */
export const GRAMMARS: readonly string[] = Object.keys(SOURCES);

/** A grammar's two files: the compiled parser, and the query that finds definitions. */
export interface GrammarFiles {
  readonly wasm: Uint8Array;
  readonly tags: string;
}

/**
 * Reads a grammar of {@link GRAMMARS}: from `dist/grammars`, which `scripts/copy-grammars.mjs` fills, when this code runs
 * compiled; from the grammar packages when it runs from the sources.
 */
export async function readGrammar(name: string): Promise<GrammarFiles> {
  const copied = fileURLToPath(new URL('../../grammars/', import.meta.url));
  if (existsSync(copied)) {
    const [wasm, tags] = await Promise.all([
      readFile(path.join(copied, `${name}.wasm`)),
      readFile(path.join(copied, `${name}.scm`), 'utf8'),
    ]);
    return { wasm, tags };
  }
  const source = SOURCES[name];
  if (!source) throw new Error(`there is no grammar named ${name}`);
  const { resolve } = createRequire(import.meta.url);
  const tagFiles = [
    ...source.tags.map((file) => resolve(file)),
    ...source.ownTags.map((own) => fileURLToPath(new URL(`./tags/${own}.scm`, import.meta.url))),
  ];
  const [wasm, ...tags] = await Promise.all([
    readFile(resolve(source.wasm)),
    ...tagFiles.map((file) => readFile(file, 'utf8')),
  ]);
  return { wasm, tags: tags.join('\n') };
}

let digest: Promise<string> | undefined;

/** Sha256 over all grammars, hex: another one may cut files differently. */
export function grammarsDigest(): Promise<string> {
  digest ??= Promise.all(
    GRAMMARS.map(async (name) => {
      const { wasm, tags } = await readGrammar(name);
      return `${name} ${sha256(wasm)} ${sha256(tags)}`;
    }),
  ).then((lines) => sha256(lines.join('\n')));
  return digest;
}

function official(name: string): GrammarSource {
  return {
    wasm: `tree-sitter-${name}/tree-sitter-${name}.wasm`,
    tags: [`tree-sitter-${name}/queries/tags.scm`],
    ownTags: [name],
  };
}
