import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { mostRelevantLines, wordMatcher } from '../../../../domain/catalog/search/snippet.ts';

const line = fc.constantFrom('', '  ', 'parse token', 'token', 'other words', '\treturn x;');

test.prop([fc.array(line, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 12 })])(
  'a snippet is consecutive lines of the text, numbered as in the file',
  (lines, most) => {
    const { startLine, endLine, text } = mostRelevantLines(
      { text: lines.join('\n'), startLine: 5 },
      ['pars', 'token'],
      most,
    );
    expect(endLine - startLine + 1).toBeLessThanOrEqual(most);
    expect(text).toBe(lines.slice(startLine - 5, endLine - 4).join('\n'));
  },
);

test('it shows what is looked for, in preference the definition of all of it', () => {
  const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  lines[40] = 'token token token';
  lines[70] = 'function parseTokens() {';
  const { startLine, endLine } = mostRelevantLines({ text: lines.join('\n'), startLine: 1 }, ['pars', 'token'], 10);
  expect(startLine).toBeLessThanOrEqual(71);
  expect(endLine).toBeGreaterThanOrEqual(71);
});

test('blank lines at its ends are left out', () => {
  expect(mostRelevantLines({ text: '\n\n  a\n\n\n', startLine: 1 }, ['zzz'], 20)).toEqual({
    startLine: 3,
    endLine: 3,
    text: '  a',
  });
});

test('words are matched by their stems, within identifiers too', () => {
  const isWanted = wordMatcher(['pars']);
  expect(['parsing', 'parseToken', 'PARSE_STATE', 'sparse'].map(isWanted)).toEqual([true, true, true, false]);
});
