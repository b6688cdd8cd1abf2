import { expect, test } from 'vitest';
import { shardsOf } from '../../support/balanced-sequencer.ts';

const COMPOSE = 'test/compose/compose.test.ts';
const paths = [
  COMPOSE,
  'test/durable/catalog/fleet.test.ts',
  'test/durable/catalog/resilience.test.ts',
  'test/durable/catalog/sweep.test.ts',
  ...Array.from({ length: 9 }, (_, at) => `test/durable/new/${at}.test.ts`),
];

test('every file is in one shard, regardless of the order in which files are found', () => {
  const shards = shardsOf(paths, 4);
  expect([...shards.keys()].sort()).toEqual(paths.toSorted());
  expect(new Set(shards.values())).toEqual(new Set([1, 2, 3, 4]));
  const reversed = shardsOf(paths.toReversed(), 4);
  for (const path of paths) expect(reversed.get(path), path).toBe(shards.get(path));
});

test('a file that takes longer than all others together is alone; the next longest are in different shards', () => {
  const shards = shardsOf(paths, 4);
  expect(paths.filter((path) => shards.get(path) === shards.get(COMPOSE))).toEqual([COMPOSE]);
  expect(new Set(paths.slice(1, 4).map((path) => shards.get(path))).size).toBe(3);
});
