import { expect, test } from 'vitest';
import { brokenLinks } from '../../support/docs/links.ts';
import { readPage, readPages, ROOT } from '../../support/docs/markdown.ts';

test('every link and anchor of the documents has a target', () => {
  const pages = readPages();
  expect(pages.flatMap(({ links }) => links).length).toBeGreaterThan(100);
  expect(brokenLinks(pages, ROOT)).toEqual([]);
});

test('a link to a missing file, a missing heading or out of the repository is found', () => {
  const text = [
    '# A title with `code` & more',
    'good: [a](#a-title-with-code--more), [b](architecture.md), [web](https://example.com/#any)',
    '',
    '[gone](gone.md), ![picture](images/gone.png)',
    '',
    '[heading](#gone), [other](architecture.md#gone), [outside](../../elsewhere.md)',
  ].join('\n');
  const page = readPage('docs/example.md', text);
  expect(brokenLinks([page, readPage('docs/architecture.md', '# Architecture')], ROOT)).toEqual([
    'docs/example.md:4 gone.md: no such file',
    'docs/example.md:4 images/gone.png: no such file',
    'docs/example.md:6 #gone: no such heading',
    'docs/example.md:6 architecture.md#gone: no such heading',
    'docs/example.md:6 ../../elsewhere.md: leads out of the repository',
  ]);
});
