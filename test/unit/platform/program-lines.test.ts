import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { pick, runProgram } from '../../../platform/program.ts';
import { readProgramLines } from '../../../platform/program-lines.ts';

async function linesOf(pieces: readonly Buffer[]): Promise<{ readonly own: string[]; readonly node: string[] }> {
  const [own, node]: [string[], string[]] = [[], []];
  const [stream, other] = [new PassThrough(), new PassThrough()];
  readProgramLines(stream, (line) => own.push(line));
  createInterface({ input: other, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => node.push(line));
  for (const piece of pieces) {
    stream.write(piece);
    other.write(piece);
  }
  stream.end();
  other.end();
  await Promise.all([finished(stream), finished(other)]);
  return { own, node };
}

test('lines are those of node, wherever the text is cut', async () => {
  const text = Buffer.from('one\n\ntwo\r\nReceiving 1%\rReceiving 2%\r\n\r\rö\u2028end\n\nlast');
  for (let size = 1; size < 12; size++) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < text.length; at += size) pieces.push(text.subarray(at, at + size));
    const { own, node } = await linesOf(pieces);
    expect(own).toEqual(node);
  }
});

test('a program that never ends a line takes no memory, and its output is cut', async () => {
  const before = process.memoryUsage.rss();
  const lines: string[] = [];
  const { code, stderr } = await runProgram(
    'sh',
    ['-c', 'head -c 300000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo end >&2'],
    {
      env: pick(process.env, ['PATH']),
      onLine: (line) => lines.push(line),
    },
  );
  expect([code, lines.map((line) => line.length), stderr.length]).toEqual([0, [16_384, 3], 16_388]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
}, 30_000);
