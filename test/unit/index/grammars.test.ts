import { expect, test } from 'vitest';
import { Language, Parser, Query } from 'web-tree-sitter';
import { GRAMMARS, readGrammar } from '../../../activities/index/analysis/grammar-files.ts';
import { patternsIn } from '../../../activities/index/analysis/grammars.ts';

test.for(GRAMMARS)('the queries of %s are split where the library splits them', async (name) => {
  await Parser.init();
  const { wasm, tags } = await readGrammar(name);
  const query = new Query(await Language.load(wasm), tags);
  const bytes = Buffer.from(tags);
  const expected = Array.from({ length: query.patternCount() }, (_, pattern) =>
    bytes.toString('utf8', query.startIndexForPattern(pattern), query.endIndexForPattern(pattern)),
  );
  expect(patternsIn(tags).map(bare)).toEqual(expected.map(bare));
});

/** Without comments and white space, which are no part of a pattern. */
function bare(pattern: string): string {
  return pattern.replaceAll(/;.*$/gm, '').replaceAll(/\s+/g, '');
}
