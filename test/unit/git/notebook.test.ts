import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readableText, readLimit, withinLimit } from '../../../domain/git/notebook.ts';

const IMAGE = 'iVBORw0KGgo'.repeat(400);
const read = (path: string, value: unknown): string =>
  readableText(path, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).text;

describe('the size of a file', () => {
  const large = (path: string, value: unknown): boolean =>
    withinLimit(path, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 1_000) === null;
  const code = (source: string, output = ''): object => ({
    cells: [{ cell_type: 'code', source, outputs: [{ data: { 'image/png': output } }] }],
  });

  test('is that of the cells of a notebook, and of everything else as it is', () => {
    expect(large('a.ipynb', code('print(1)', IMAGE))).toBe(false);
    expect(large('a.json', code('print(1)', IMAGE))).toBe(true);
    expect(large('a.ipynb', code('1 + 1\n'.repeat(200)))).toBe(true);
    expect(large('a.ipynb', 'x'.repeat(1_001))).toBe(true);
    expect(large('a.ipynb', 'x'.repeat(1_000))).toBe(false);
    expect(withinLimit('a.ipynb', null, 1_000)).toBeNull();
  });

  test('a notebook is read up to ten times the limit and 20 MB, and never less than another file', () => {
    const limits = [1_000, 1_000_000, 10_000_000, 30_000_000].map((limit) => readLimit('A.IPYNB', limit));
    expect(limits).toEqual([10_000, 10_000_000, 20_000_000, 30_000_000]);
    expect(readLimit('a.json', 1_000)).toBe(1_000);
  });
});

describe('a notebook', () => {
  test('is its cells, without outputs, images and metadata', () => {
    const notebook = {
      nbformat: 4,
      metadata: { kernelspec: { language: 'python', name: 'python3' } },
      cells: [
        {
          cell_type: 'markdown',
          source: ['# Orders\n', '\n', 'How many?'],
          attachments: { 'a.png': { 'image/png': IMAGE } },
        },
        {
          cell_type: 'code',
          source: 'def count(orders):\n    return len(orders)\n',
          outputs: [{ data: { 'image/png': IMAGE, 'text/plain': ['secret output'] } }],
        },
        { cell_type: 'code', source: [] },
        { cell_type: 'raw', source: 'x' },
      ],
    };
    const text =
      '# %% [markdown]\n# # Orders\n#\n# How many?\n\n# %%\ndef count(orders):\n    return len(orders)\n\n# %%\n\n\n# %% [raw]\n# x\n';
    expect(readableText('a/b.ipynb', Buffer.from(JSON.stringify(notebook)))).toEqual({ text, codeLanguage: 'python' });
    expect(readableText('a/b.json', Buffer.from('{}'))).toEqual({ text: '{}', codeLanguage: null });
  });

  test('of version 3, and in a language with other comments', () => {
    const cells = [
      { cell_type: 'heading', source: 'Top' },
      { cell_type: 'code', input: ['let a = 1;'] },
    ];
    const notebook = { worksheets: [{ cells }], metadata: { language_info: { name: 'typescript' } } };
    expect(read('a.ipynb', notebook)).toBe('// %% [heading]\n// Top\n\n// %%\nlet a = 1;\n');
  });

  test.each(['', '{', '[]', 'null', '{"a":1}', '<html>'])('text that is none is read as it is: %j', (text) => {
    expect(read('a.ipynb', text)).toBe(text);
  });

  test('any JSON is read without a failure', () => {
    const cell = fc.record(
      { cell_type: fc.jsonValue(), source: fc.jsonValue(), input: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const notebook = fc.record(
      {
        cells: fc.oneof(fc.array(fc.oneof(cell, fc.jsonValue())), fc.jsonValue()),
        worksheets: fc.jsonValue(),
        metadata: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const property = fc.property(notebook, (value) => typeof read('a.ipynb', value) === 'string');
    expect(() => fc.assert(property)).not.toThrow();
  });
});
