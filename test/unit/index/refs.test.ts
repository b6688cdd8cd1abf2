import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { refsWith } from '../../../activities/index/store/refs.ts';

const REFS = ['HEAD', 'refs/heads/a', 'refs/heads/b', 'refs/heads/c'];
const some = fc.subarray(REFS);
const any = fc.array(fc.constantFrom(...REFS, 'refs/heads/gone', ''));

test.prop([any, some, fc.constantFrom(...REFS), fc.boolean()])(
  'the refs of an object are its other indexed refs, with or without this one, in order, each once',
  (held, others, ref, isHeld) => {
    const refs = [...new Set([...others, ref])];
    const now = refsWith(held, { ref, refs }, isHeld);
    expect(now).toEqual(REFS.filter((one) => (one === ref ? isHeld : held.includes(one) && refs.includes(one))));
    expect(refsWith(now, { ref, refs }, isHeld)).toEqual(now);
  },
);
