import { describe, expect, test } from 'vitest';
import { sampleWithKinds } from '../../support/sample-of-kinds.ts';

const ALL = [
  { kind: 'plan', nth: 1 },
  { kind: 'apply', nth: 1 },
  { kind: 'apply', nth: 2 },
  { kind: 'undo', nth: 1 },
];

describe('a sample of boundaries', () => {
  test('has the last one of each kind that is named, then others', () => {
    expect(sampleWithKinds(ALL, ['apply'], 3)).toEqual([
      { kind: 'apply', nth: 2 },
      { kind: 'plan', nth: 1 },
      { kind: 'undo', nth: 1 },
    ]);
  });

  test('is refused where a kind that is named has none', () => {
    expect(() => sampleWithKinds(ALL, ['apply', 'delete'], 3)).toThrow('"delete"');
    expect(() => sampleWithKinds([], ['apply'], 3)).toThrow('"apply"');
  });
});
