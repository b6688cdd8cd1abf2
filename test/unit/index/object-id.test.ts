import { expect, test } from 'vitest';
import { objectIds, receiptId } from '../../../activities/index/store/object-id.ts';

const KEY = { digest: 'd', repository: 'p/o/r', path: 'a/b.ts', blob: '0123' };

test('the same file makes the same ids, on every machine', () => {
  expect(objectIds(KEY, 2)).toEqual(['2a9f97f2-7c02-55e5-b2b3-76c8fbf903b4', 'e386d8a2-2941-5227-b1e1-44e3f3df8f66']);
  expect(receiptId('p/o/r')).toBe('4d205f75-8b80-506b-9436-15778d124f65');
});

test.for([
  { ...KEY, digest: 'e' },
  { ...KEY, repository: 'p/o/s' },
  { ...KEY, path: 'a/c.ts' },
  { ...KEY, blob: '0124' },
  // parts do not run into each other
  { ...KEY, repository: 'p/o/ra', path: '/b.ts' },
])('another %j is another object', (other) => {
  expect(objectIds(other, 1)).not.toEqual(objectIds(KEY, 1));
});

test('more chunks only add ids', () => {
  expect(objectIds(KEY, 5).slice(0, 2)).toEqual(objectIds(KEY, 2));
  expect(new Set(objectIds(KEY, 100)).size).toBe(100);
});
