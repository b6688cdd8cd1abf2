import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { NO_OBJECTS, xorIds } from '../../../../domain/catalog/index/receipt.ts';

const uuid = fc.uuid();
const xor = (ids: readonly string[]): string => ids.reduce(xorIds, NO_OBJECTS);

describe('XOR of ids', () => {
  test.prop([fc.array(uuid), fc.func(fc.integer())])('does not depend on the order', (ids, key) => {
    const shuffled = [...ids].sort((a, b) => key(a) - key(b));
    expect(xor(shuffled)).toBe(xor(ids));
  });

  test.prop([fc.array(uuid), uuid])('adding and removing an id has no effect', (ids, id) => {
    expect(xor([...ids, id, id])).toBe(xor(ids));
  });

  test.prop([fc.uniqueArray(uuid, { minLength: 1 })])('a missing id changes the result', (ids) => {
    expect(xor(ids.slice(1))).not.toBe(xor(ids));
    expect(xor(ids)).toMatch(/^[0-9a-f]{32}$/);
  });
});
