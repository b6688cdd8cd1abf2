import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { sha256 } from '../../../platform/sha256.ts';
import { rememberedDigest } from '../store/digest.ts';

/**
 * The source files of a grammar. The packages also contain compiler sources, so only these files go into the published
 * package.
 */
interface GrammarSource {
  readonly wasm: string;
  /** Files of the packages that define what a definition is. */
  readonly tags: readonly string[];
  /** Files of `tags/` that add what those leave out. */
  readonly ownTags: readonly string[];
}

const JAVASCRIPT_TAGS = 'tree-sitter-javascript/queries/tags.scm';
const TYPESCRIPT_TAGS = [JAVASCRIPT_TAGS, 'tree-sitter-typescript/queries/tags.scm'];

const SOURCES: Readonly<Record<string, GrammarSource>> = {
  bash: { wasm: 'tree-sitter-bash/tree-sitter-bash.wasm', tags: [], ownTags: ['bash'] },
  c: official('c'),
  'c-sharp': { ...official('c-sharp'), wasm: 'tree-sitter-c-sharp/tree-sitter-c_sharp.wasm' },
  cpp: official('cpp'),
  dart: collected('dart'),
  elixir: official('elixir'),
  go: official('go'),
  haskell: { wasm: 'tree-sitter-haskell/tree-sitter-haskell.wasm', tags: [], ownTags: ['haskell'] },
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
  swift: collected('swift'),
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
  zig: { wasm: '@tree-sitter-grammars/tree-sitter-zig/tree-sitter-zig.wasm', tags: [], ownTags: ['zig'] },
};

/** The languages that are split along their syntax, by grammar name. */
export const GRAMMARS: readonly string[] = Object.keys(SOURCES);

/** A grammar's two files: the compiled parser, and the query that finds definitions. */
export interface GrammarFiles {
  readonly wasm: Uint8Array;
  readonly tags: string;
}

/** Reads a grammar of {@link GRAMMARS}. */
export async function readGrammar(name: string): Promise<GrammarFiles> {
  const { wasm, tags } = pathsOf(name);
  const texts = tags.map((file) => readFile(file, 'utf8'));
  const parser = await readFile(wasm);
  return {
    wasm: wasm.endsWith('.br') ? await promisify(brotliDecompress)(parser) : parser,
    tags: (await Promise.all(texts)).join('\n'),
  };
}

let digest: Promise<string> | undefined;

/** Sha256 over all grammars, hex, cached in `cacheDir`: another grammar may split files differently. */
export function grammarsDigest(cacheDir: string): Promise<string> {
  digest ??= rememberedDigest(
    cacheDir,
    GRAMMARS.map(pathsOf).flatMap(({ wasm, tags }) => [wasm, ...tags]),
    async () => {
      const lines = GRAMMARS.map(async (name) => {
        const { wasm, tags } = await readGrammar(name);
        return `${name} ${sha256(wasm)} ${sha256(tags)}`;
      });
      return sha256((await Promise.all(lines)).join('\n'));
    },
  );
  return digest;
}

/**
 * The files of a grammar: in `dist/grammars`, which `npm run build` fills with compressed parsers, for compiled code; in
 * the grammar packages when running from the sources.
 */
function pathsOf(name: string): { wasm: string; tags: string[] } {
  const copied = fileURLToPath(new URL('../../../grammars/', import.meta.url));
  if (existsSync(copied)) {
    return { wasm: path.join(copied, `${name}.wasm.br`), tags: [path.join(copied, `${name}.scm`)] };
  }
  const source = SOURCES[name];
  if (!source) throw new Error(`there is no grammar named ${name}`);
  const { resolve } = createRequire(import.meta.url);
  const own = source.ownTags.map((file) => fileURLToPath(new URL(`./tags/${file}.scm`, import.meta.url)));
  return { wasm: resolve(source.wasm), tags: [...source.tags.map((file) => resolve(file)), ...own] };
}

function official(name: string): GrammarSource {
  return {
    wasm: `tree-sitter-${name}/tree-sitter-${name}.wasm`,
    tags: [`tree-sitter-${name}/queries/tags.scm`],
    ownTags: [name],
  };
}

/** A grammar whose own package has no compiled parser. */
function collected(name: string): GrammarSource {
  return { wasm: `@repomix/tree-sitter-wasms/out/tree-sitter-${name}.wasm`, tags: [], ownTags: [name] };
}
