import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readableText } from '../../../domain/git/notebook.ts';

const IMAGE = 'iVBORw0KGgo'.repeat(400);
const read = (path: string, value: unknown): string =>
  readableText(path, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).text;

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
