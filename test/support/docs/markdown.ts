import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';

/** Root of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A link, an image or an inline code, with the line on which its paragraph begins. */
export interface Place {
  readonly text: string;
  readonly line: number;
}

/** A fenced block. */
export interface Block {
  /** The first word after the fence: `yaml`; empty when there is none. */
  readonly language: string;
  readonly text: string;
  /** Line of the fence, from 1. */
  readonly line: number;
}

/** The parts of a document that the checks need. */
export interface Page {
  /** Path from the root of the repository. */
  readonly path: string;
  /** Targets of links and images, as written. */
  readonly links: readonly Place[];
  /** Inline code. */
  readonly codes: readonly Place[];
  readonly blocks: readonly Block[];
  /** Fragments that GitHub assigns to headings, and ids of HTML anchors. */
  readonly anchors: ReadonlySet<string>;
  /** Tables, as rows of cells; the first row is the head. Cells keep their marks. */
  readonly tables: readonly (readonly (readonly string[])[])[];
}

const markdown = new MarkdownIt({ html: true });

/** Reads a document of GitHub's Markdown. */
export function readPage(path: string, text: string): Page {
  const links: Place[] = [];
  const codes: Place[] = [];
  const blocks: Block[] = [];
  const anchors = new Set<string>();
  const tables: string[][][] = [];
  const slugger = new GithubSlugger();
  const tokens = markdown.parse(text, {});
  let line = 1;
  for (const [at, token] of tokens.entries()) {
    if (token.map !== null) line = token.map[0] + 1;
    if (token.type === 'fence') blocks.push({ language: token.info.split(/\s/)[0] ?? '', text: token.content, line });
    if (token.type === 'html_block')
      for (const [, id] of token.content.matchAll(/\bid="([^"]+)"/g)) anchors.add(id ?? '');
    if (token.type === 'table_open') tables.push([]);
    if (token.type === 'tr_open') tables.at(-1)?.push([]);
    if (token.type === 'th_open' || token.type === 'td_open')
      tables
        .at(-1)
        ?.at(-1)
        ?.push(tokens[at + 1]?.content ?? '');
    if (token.type === 'heading_open') {
      const words = tokens[at + 1]?.children?.filter(({ type }) => type === 'text' || type === 'code_inline') ?? [];
      anchors.add(slugger.slug(words.map(({ content }) => content).join('')));
    }
    for (const child of token.children ?? []) {
      const target = child.attrGet(child.type === 'image' ? 'src' : 'href');
      if (target !== null) links.push({ text: String(target), line });
      if (child.type === 'code_inline') codes.push({ text: child.content, line });
    }
  }
  return { path, links, codes, blocks, anchors, tables };
}

/** Every document of the repository: at its root, below `docs/` and `.github/`, and next to benchmarks. */
export function readPages(): readonly Page[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const atRoot = readdirSync(ROOT).filter((name) => statSync(join(ROOT, name)).isFile());
  return [...atRoot, ...below('docs'), ...below('.github'), ...below('bench')]
    .filter((path) => path.endsWith('.md'))
    .map((path) => readPage(path, readFileSync(join(ROOT, path), 'utf8')));
}
