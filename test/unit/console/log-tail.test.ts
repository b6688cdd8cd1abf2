import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { readLogTail } from '../../../client/console/release/log-tail.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('the end of a log begins with a whole line, without colours', async () => {
  const log = '\u{1b}[31mfirst\u{1b}[0m\r\nsecond\r\n\u{1b}[32mthird\u{1b}[0m\r\n';
  expect(await readLogTail(pieces(log, 7), 1_000)).toEqual({ text: 'first\nsecond\nthird\n', skipped: 0, size: 40 });
  expect(await readLogTail(pieces(log, 7), 20)).toEqual({ text: 'third\n', skipped: 24, size: 40 });
});

test('a log without line ends is cut anywhere', async () => {
  expect(await readLogTail(pieces('x'.repeat(100), 9), 10)).toEqual({ text: 'x'.repeat(10), skipped: 90, size: 100 });
  expect(await readLogTail(pieces('', 9), 10)).toEqual({ text: '', skipped: 0, size: 0 });
});

property.prop([
  fc.array(fc.constantFrom('a', 'bb', 'ö', '\n'), { maxLength: 60 }),
  fc.nat(20),
  fc.integer({ min: 1, max: 9 }),
])('what is skipped and what is shown make the whole, whatever the pieces', async (parts, most, size) => {
  const log = parts.join('');
  const tail = await readLogTail(pieces(log, size), most);
  const bytes = Buffer.from(log);
  expect(tail.size).toBe(bytes.length);
  expect(tail.text).toBe(bytes.subarray(tail.skipped).toString());
  expect(bytes.length - tail.skipped).toBeLessThanOrEqual(most);
});
