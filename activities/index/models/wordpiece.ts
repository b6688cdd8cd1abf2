import { createWordMemory, unitsOf } from '../../../domain/catalog/search/word-memory.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

/** Turns text into the token ids of a BERT-like model. */
export interface WordPiece {
  /** The tokens by id. */
  readonly vocabulary: readonly string[];
  /** The ids of a text, without special tokens. */
  encode(text: string): number[];
  /** The ids of a text between `[CLS]` and `[SEP]`, truncated to at most `limit` ids in total. */
  encodeSequence(text: string, limit: number): number[];
}

const SPACE = 0;
const LETTER = 1;
/** A sign or an ideograph: a word by itself. */
const SINGLE = 2;

/** One entry per ASCII character, because almost every character of source code is one. */
const ASCII_KIND = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code <= 32) return SPACE;
  return /[0-9A-Za-z]/.test(String.fromCharCode(code)) ? LETTER : SINGLE;
});
const SPACES = /\s/u;
const SINGLES =
  /[\p{P}\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/u;
const NOT_PLAIN = /[^\t\n\r -~]/;
const CONTROLS = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/gu;
const ACCENTS = /\p{Mn}/gu;

const MOST_MEMORIES = 100_000;
const LONGEST_MEMORY = 32;

/**
 * Reads a `tokenizer.json` of BERT and its descendants (WordPiece model, BERT normalizer and pre-tokenizer). Throws
 * `InvalidConfiguration` for any other kind: wrong ids would silently make wrong vectors.
 */
export function createWordPiece(tokenizerJson: string): WordPiece {
  if (latest?.json === tokenizerJson) return latest.words;
  const words = readWordPiece(tokenizerJson);
  latest = { json: tokenizerJson, words };
  return words;
}

/** The latest one: a process that searches opens two models with the same tokenizer. */
let latest: { readonly json: string; readonly words: WordPiece } | undefined;

function readWordPiece(tokenizerJson: string): WordPiece {
  const { vocab, lowercase, stripAccents, longestWord, unknownToken, prefix } = readTokenizer(tokenizerJson);
  const ids = new Map(Object.entries(vocab));
  const vocabulary: string[] = [];
  for (const [token, id] of ids) vocabulary[id] = token;
  const idOf = (token: string): number => ids.get(token) ?? refuse(`it has no token ${token}`);
  const unknown = [idOf(unknownToken)];
  const first = idOf('[CLS]');
  const last = idOf('[SEP]');
  const remembered = createWordMemory(split, { most: MOST_MEMORIES, longest: LONGEST_MEMORY });

  function normalize(text: string): string {
    if (!NOT_PLAIN.test(text)) return lowercase ? text.toLowerCase() : text;
    const clean = text.replaceAll(CONTROLS, '');
    const bare = stripAccents ? clean.normalize('NFD').replaceAll(ACCENTS, '') : clean;
    return lowercase ? bare.toLowerCase() : bare;
  }

  function split(word: string): readonly number[] {
    if (word.length > longestWord && Array.from(word).length > longestWord) return unknown;
    const pieces: number[] = [];
    for (let start = 0; start < word.length;) {
      let stop = word.length;
      let id: number | undefined;
      for (; stop > start; stop--) {
        id = ids.get(start === 0 ? word.slice(0, stop) : prefix + word.slice(start, stop));
        if (id !== undefined) break;
      }
      if (id === undefined) return unknown;
      pieces.push(id);
      start = stop;
    }
    return pieces;
  }

  function encode(text: string, limit = Number.POSITIVE_INFINITY): number[] {
    const normal = normalize(text);
    const units = unitsOf(normal);
    const out: number[] = [];
    const emit = (from: number, to: number): void => {
      for (const id of remembered.of(units, from, to)) out.push(id);
    };
    let word = -1;
    for (let at = 0; at < normal.length && out.length < limit;) {
      const code = units[at] as number;
      const width = code >= 0xd800 && code < 0xdc00 ? 2 : 1;
      const kind = code < 128 ? ASCII_KIND[code] : kindOf(normal.slice(at, at + width));
      if (kind === LETTER) {
        if (word < 0) word = at;
      } else {
        if (word >= 0) emit(word, at);
        word = -1;
        if (kind === SINGLE) emit(at, at + width);
      }
      at += width;
    }
    if (word >= 0) emit(word, normal.length);
    return out.length > limit ? out.slice(0, limit) : out;
  }

  return {
    vocabulary,
    encode: (text) => encode(text),
    encodeSequence: (text, limit) => [first, ...encode(text, limit - 2), last],
  };
}

function kindOf(character: string): number {
  if (SPACES.test(character)) return SPACE;
  return SINGLES.test(character) ? SINGLE : LETTER;
}

interface TokenizerSettings {
  readonly vocab: Readonly<Record<string, number>>;
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  readonly longestWord: number;
  readonly unknownToken: string;
  readonly prefix: string;
}

interface TokenizerFile {
  readonly normalizer?: { type?: string; lowercase?: boolean; strip_accents?: boolean | null } | null;
  readonly pre_tokenizer?: { type?: string } | null;
  readonly model?: {
    type?: string;
    vocab?: Record<string, number>;
    unk_token?: string;
    continuing_subword_prefix?: string;
    max_input_chars_per_word?: number;
  };
}

function readTokenizer(json: string): TokenizerSettings {
  const file = parseTokenizer(json);
  const { model, normalizer } = file;
  // older files leave out the model's type
  if (!model?.vocab || (model.type ?? 'WordPiece') !== 'WordPiece') return refuse('its model is not WordPiece');
  if (normalizer?.type !== 'BertNormalizer') return refuse('its normalizer is not BertNormalizer');
  if (file.pre_tokenizer?.type !== 'BertPreTokenizer') return refuse('its pre-tokenizer is not BertPreTokenizer');
  const lowercase = normalizer.lowercase ?? true;
  return {
    vocab: model.vocab,
    lowercase,
    stripAccents: normalizer.strip_accents ?? lowercase,
    longestWord: model.max_input_chars_per_word ?? 100,
    unknownToken: model.unk_token ?? '[UNK]',
    prefix: model.continuing_subword_prefix ?? '##',
  };
}

function parseTokenizer(json: string): TokenizerFile {
  try {
    return JSON.parse(json) as TokenizerFile;
  } catch (cause) {
    throw new LonghaulError('InvalidConfiguration', 'The tokenizer.json of the embedding model is not JSON.', {
      cause,
    });
  }
}

function refuse(why: string): never {
  throw new LonghaulError(
    'InvalidConfiguration',
    `The tokenizer.json of the embedding model cannot be used: ${why}. Use a model with a BERT WordPiece tokenizer, such as all-MiniLM-L6-v2.`,
  );
}
