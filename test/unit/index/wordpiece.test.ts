import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { beforeAll, describe, expect } from 'vitest';
import { decodeText } from '../../../domain/git/text.ts';
import { createWordPiece } from '../../../activities/index/models/wordpiece.ts';
import type { WordPiece } from '../../../activities/index/models/wordpiece.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { realFiles } from './real-files.ts';
import { FIRST_RUN_MS, realModel } from './real-model.ts';

/** The part of `@huggingface/tokenizers` that is used; its own types cannot be resolved from a module. */
interface HuggingFace {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => {
    encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  };
}

let json: string;
let own: WordPiece;
let oracle: (text: string) => readonly number[];

beforeAll(async () => {
  const { folder } = await realModel('static');
  json = await readFile(join(folder, 'tokenizer.json'), 'utf8');
  own = createWordPiece(json);
  const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as HuggingFace;
  const huggingFace = new Tokenizer({ ...(JSON.parse(json) as object), truncation: null, padding: null }, {});
  oracle = (text) => huggingFace.encode(text, { add_special_tokens: false }).ids;
}, FIRST_RUN_MS);

describe('the tokenizer', () => {
  test("has Hugging Face's ids on real files", () => {
    const files = realFiles({ most: 200 });
    for (const { path, content } of files) {
      const text = decodeText(content).slice(0, 5_000);
      expect(own.encode(text), path).toEqual(oracle(text));
    }
  });

  test.each([
    'naïve Café ÅÄÖ',
    '日本語 kanji漢字',
    'emoji 😀👍🏽 👩‍👩‍👧',
    'a\0b\u200bc\ufeffd\u00ade',
    'İstanbul ß ǅ',
    'x\u0085y\u00a0z\u2028w',
    '٣٤٥ हिन्दी 한국어',
    '\ud83d alone',
    '~^`|$+<=>',
    'a'.repeat(100),
    'a'.repeat(101),
    '😀'.repeat(60),
    '',
    '[MASK]x',
  ])('has them on %j', (text) => {
    // the oracle extracts special tokens first; source code that contains one means the letters
    if (!text.includes('[MASK]')) expect(own.encode(text)).toEqual(oracle(text));
    else expect(own.encode(text).map((id) => own.vocabulary[id])).toEqual(['[', 'mask', ']', 'x']);
  });

  test.prop([fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))])(
    'has them on any text',
    (text) => {
      // the oracle separates only ideographs of 16 bits, unlike the models' own tokenizer
      fc.pre(!/[\u{20000}-\u{2fa1f}]/u.test(text));
      fc.pre(!/\[(?:PAD|UNK|CLS|SEP|MASK)\]/.test(text));
      expect(own.encode(text)).toEqual(oracle(text));
    },
  );

  test('cuts a sequence so that the special tokens fit', () => {
    const named = own.encodeSequence('one two three four', 4).map((id) => own.vocabulary[id]);
    expect(named).toEqual(['[CLS]', 'one', 'two', '[SEP]']);
    expect(own.encodeSequence('', 8).map((id) => own.vocabulary[id])).toEqual(['[CLS]', '[SEP]']);
  });

  test.each([
    ['another model', { model: { type: 'BPE', vocab: {} } }, 'its model is not WordPiece'],
    ['another normalizer', { normalizer: { type: 'NFC' } }, 'its normalizer is not BertNormalizer'],
    ['another pre-tokenizer', { pre_tokenizer: { type: 'Whitespace' } }, 'its pre-tokenizer is not BertPreTokenizer'],
    ['no special tokens', { model: { type: 'WordPiece', vocab: { a: 0 } } }, 'it has no token [UNK]'],
  ])('refuses %s', (_, change, why) => {
    const other = JSON.stringify({ ...(JSON.parse(json) as object), ...change });
    expect(() => createWordPiece(other)).toThrow(why);
    expect(() => createWordPiece(other)).toThrow(LonghaulError);
  });

  test('rejects a file that is not JSON', () => {
    expect(() => createWordPiece('{')).toThrow(LonghaulError);
  });
});
