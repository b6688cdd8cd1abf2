import { describe, expect, test } from 'vitest';
import { distilTables, textTokens } from '../../../activities/index/models/distillation.ts';
import { tokenImportance } from '../../../activities/index/models/token-importance.ts';
import type { DistilledTables } from '../../../activities/index/models/static-model.ts';

const WIDTH = 300;
const VOCABULARY = [
  '[PAD]',
  '[unused0]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  ...Array.from({ length: 900 }, (_, i) => `word${i}`),
];

/** Numbers that look random and are the same every time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Rows with decreasing variance by component, with equal pairs, similar to real ones. */
function teaching(relativeError: number): Float32Array {
  const next = noise(1);
  const error = noise(2);
  const rows = new Float32Array(textTokens(VOCABULARY).length * WIDTH);
  for (let i = 0; i < rows.length; i++) {
    const strength = 1 / (1 + Math.floor((i % WIDTH) / 2));
    rows[i] = strength * (next() + relativeError * error()) + 0.3;
  }
  return rows;
}

const distil = (rows: Float32Array): DistilledTables =>
  distilTables({ vocabulary: VOCABULARY, tokens: textTokens(VOCABULARY), rows });

function row({ matrix, scales, dimensions }: DistilledTables, token: number): number[] {
  return Array.from(
    matrix.subarray(token * dimensions, (token + 1) * dimensions),
    (value) => value * (scales[token] ?? 0),
  );
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

describe('distillation', () => {
  test('keeps the angles between tokens, in fewer dimensions', () => {
    const rows = teaching(0);
    const tables = distil(rows);
    expect(tables.dimensions).toBe(256);
    const taught = textTokens(VOCABULARY).map((_, i) =>
      Array.from(rows.subarray(i * WIDTH, (i + 1) * WIDTH), (v) => v - 0.3),
    );
    for (const [a, b] of [
      [0, 1],
      [5, 600],
      [42, 43],
      [898, 7],
    ] as const) {
      expect(cosine(row(tables, a + 5), row(tables, b + 5))).toBeCloseTo(cosine(taught[a] ?? [], taught[b] ?? []), 1);
    }
  });

  test('equal teachers give equal tables, and almost equal ones tables that understand each other', () => {
    const tables = distil(teaching(0));
    expect(distil(teaching(0))).toEqual(tables);
    const other = distil(teaching(0.05));
    const similarities = textTokens(VOCABULARY).map((token) => cosine(row(tables, token), row(other, token)));
    expect(Math.min(...similarities)).toBeGreaterThan(0.9);
  });

  test('a token that stands for no text has no vector and counts nothing', () => {
    const tables = distil(teaching(0));
    for (const token of [0, 1, 2, 3, 4]) {
      expect(row(tables, token).every((value) => value === 0)).toBe(true);
      expect(tables.importance[token]).toBe(0);
    }
  });
});

test('rare words count more than frequent ones, and signs hardly anything', () => {
  const vocabulary = [
    '[PAD]',
    ...Array.from('!(){}.;,:abcxyz019é'),
    'the',
    'of',
    ...Array.from({ length: 5_000 }, (_, i) => `w${i}`),
    '##s',
  ];
  const importance = tokenImportance(vocabulary);
  const of = (token: string): number => importance[vocabulary.indexOf(token)] ?? Number.NaN;
  expect(of('[PAD]')).toBe(0);
  expect(of('(')).toBeLessThan(0.05);
  expect(of('x')).toBeLessThan(of('the'));
  expect(of('the')).toBeLessThan(of('w100'));
  expect(of('w4999')).toBeGreaterThan(0.9);
  expect(Math.max(...importance)).toBeLessThan(1);
});
