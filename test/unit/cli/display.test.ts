import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { openDisplay } from '../../../client/cli/flows/display.ts';
import type { CliContext } from '../../../client/core/context.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { memoryIo } from '../../support/memory-io.ts';

/** What a terminal obeys: colours, an erased screen, a title, a link, the clipboard, 8-bit controls, a line of its own. */
const OBEYED = [
  '\u001b[31m',
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]8;;https://evil.example\u001b\\',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u009b2K',
  '\u009d52;c;ZXZpbA==\u009c',
  '\u202e',
  '\rdone',
  '\n99 of 99',
];

function shownOn(isTTY: boolean): { context: CliContext; written: () => string } {
  const stderr = Object.assign(new PassThrough(), { isTTY, columns: 500 });
  let written = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (written += text));
  const config = configSchema.parse({});
  const context = { ...memoryIo(), stderr, config, configPath: null, dataDir: '/data', cacheDir: '/cache' };
  return { context, written: () => written };
}

test.each([
  ['on a terminal', true],
  ['in a log', false],
])('names in the progress of a flow control no terminal: %s', async (_, isTTY) => {
  for (const obeyed of OBEYED) {
    const { context, written } = shownOn(isTTY);
    const display = await openDisplay(context);
    display.update({
      stage: `indexing acme/${obeyed}api`,
      done: 1,
      total: 2,
      unit: `files${obeyed}`,
      lines: [`branch ${obeyed}main`, 'safe'],
      asks: null,
    });
    display.close();
    expect(written()).toContain('indexing acme/\ufffd');
    expect(written()).toContain('branch \ufffd');
    expect(written()).not.toContain(obeyed);
  }
});
