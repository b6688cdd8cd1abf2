import { expect, test } from 'vitest';
import { slicesOf } from '../../../domain/forge/delivery-slices.ts';
import type { Delivery } from '../../../domain/forge/repository-event.ts';

function deliveriesOf(count: number, name = 'api'): Delivery[] {
  return Array.from({ length: count }, (_, n) => ({
    repository: `github/acme/${name}-${n}`,
    event: { kind: 'pushed', delivery: `${n}` },
  }));
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

test('15,000 deliveries are slices that each fit one payload, complete and in order', () => {
  const deliveries = deliveriesOf(15_000, 'é'.repeat(100));
  expect(bytesOf(deliveries)).toBeGreaterThan(2 * 1024 * 1024);
  const slices = slicesOf(deliveries);
  expect(slices.flat()).toEqual(deliveries);
  expect(Math.max(...slices.map(bytesOf))).toBeLessThanOrEqual(512 * 1024 + 2);
});

test('short deliveries are counted', () => {
  expect(slicesOf(deliveriesOf(4_001)).map(({ length }) => length)).toEqual([2_000, 2_000, 1]);
});

test('no deliveries, no slices', () => {
  expect(slicesOf([])).toEqual([]);
});
