import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { describeReembed, type ReembedStatus } from '../../../domain/catalog/flows/build-flows.ts';
import { describeOutcome } from '../../../domain/catalog/flows/progress.ts';
import { describeGroupsPlan } from '../../../domain/catalog/groups/sync-groups.ts';
import { escapeMarkdown, markdownList, markdownTable } from '../../../domain/shared/markdown.ts';

const HOSTILE = '# big\n\n| <img src=x onerror=alert(1)> [x](javascript:1) ~~a~~ `b` &lt; \u001b[31m\u202e';
/** A character that markdown or HTML would interpret, because it is not escaped. */
const ACTIVE = /(?<!\\)(?:\\\\)*[`*_[\]<>|#~&]/;

property.prop([fc.string({ unit: 'binary' })])('an escaped text is one literal line', (text) => {
  const escaped = escapeMarkdown(text);
  expect(escaped).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(escaped.replaceAll(/\\./g, '')).not.toMatch(ACTIVE);
});

test('plain text is unchanged', () => {
  const plain = 'p/acme/x: GitFailed: git fetch failed after 3 s (exit 128); größe 👩';
  expect(escapeMarkdown(plain)).toBe(plain);
});

test('a table has one line for each row, for any content', () => {
  expect(markdownTable([['a|b', 'c\n| d'] as const, ['n', 7]])).toBe(
    '| | |\n|---|---|\n| a\\|b | c \\| d |\n| n | 7 |',
  );
});

test('a list has at most fifty names, and says how many are left out', () => {
  const lines = markdownList('Title', Array<string>(60).fill('x\ny'), 80).split('\n');
  expect(lines.slice(0, 3)).toEqual(['**Title**', '', '- x y']);
  expect([lines.length, lines.at(-1)]).toEqual([53, '- and 30 more']);
});

const reembed: ReembedStatus = {
  stage: 'filling',
  from: 'old',
  to: 'new',
  filling: null,
  repositories: 1,
  failed: 1,
  failures: [{ repository: `p/${HOSTILE}`, type: 'GitFailed', error: HOSTILE }],
  objectsWritten: 0,
  embedded: 0,
  embeddingsReused: 0,
  comparison: null,
};

test.each([
  ['a re-embedding', describeReembed(reembed)],
  [
    'the result of a repository',
    describeOutcome({
      repository: `p/${HOSTILE}`,
      commit: HOSTILE,
      full: null,
      filesChanged: 0,
      objectsWritten: 0,
      objectsDeleted: 0,
      objects: 0,
      embedded: 0,
      embeddingsReused: 0,
      skipped: { binary: 1 },
      durationMs: 0,
    }),
  ],
  [
    'a plan of sync groups',
    describeGroupsPlan({
      changes: [
        {
          kind: 'changed',
          name: 'services',
          fields: [{ field: 'description', before: '', after: HOSTILE }],
          group: null,
        },
      ],
      warnings: [HOSTILE],
    }),
  ],
])('%s shows foreign text literally', (_name, markdown) => {
  expect(markdown).toContain('img src=x');
  expect(markdown).not.toMatch(/^#|(?<!\\)<img|(?<!\\)\[x/m);
  expect(markdown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
