import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkCommand, checkMention, type Checkout } from '../../support/docs/commands.ts';
import { readPage, readPages, ROOT } from '../../support/docs/markdown.ts';
import type { Page } from '../../support/docs/markdown.ts';
import { createShellReader } from '../../support/docs/shell.ts';

const PROGRAMS = /^(longhaul|npm|npx|node|docker|\.ci\/run)( |$)/;
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Pick<Checkout, 'scripts'>;
const projects = [...readFileSync(join(ROOT, 'vitest.config.ts'), 'utf8').matchAll(/name: '(\w+)'/g)];
const checkout: Checkout = { root: ROOT, scripts, projects: projects.map(([, name]) => name ?? '') };

let shell: Awaited<ReturnType<typeof createShellReader>>;
beforeAll(async () => {
  shell = await createShellReader();
});

/** The number of commands in a document, and the invalid ones as `file:line command: why`. */
async function wrongCommands({ path, blocks, codes }: Page): Promise<{ checked: number; wrong: readonly string[] }> {
  const inBlocks = blocks
    .filter(({ language }) => ['sh', 'bash', 'shell'].includes(language))
    .flatMap(({ text, line }) =>
      shell(text).map(({ words, line: at }) => ({ words, line: line + at + 1, check: checkCommand })),
    );
  const inText = codes
    .filter(({ text }) => PROGRAMS.test(text))
    .map(({ text, line }) => ({ words: shell(quotedChoices(text))[0]?.words ?? [], line, check: checkMention }));
  const commands = [...inBlocks, ...inText];
  const found = await Promise.all(
    commands.map(async ({ words, line, check }) => {
      const why = await check(words, checkout);
      return why === null ? [] : [`${path}:${line} ${words.join(' ')}: ${why}`];
    }),
  );
  return { checked: commands.length, wrong: found.flat() };
}

/** `list|show` in usage notation is not a pipe. */
function quotedChoices(text: string): string {
  return text.replaceAll(/[\w-]+(?:\|[\w-]+)+/g, (choices) => `'${choices}'`);
}

describe('commands in the documents', () => {
  test('are accepted by the real programs', async () => {
    const found = await Promise.all(readPages().map(wrongCommands));
    expect(found.reduce((sum, { checked }) => sum + checked, 0)).toBeGreaterThan(100);
    expect(found.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test('that are invalid are reported with file and line', async () => {
    const text = [
      '# Commands',
      '```sh',
      'longhaul sync --everything',
      'other | longhaul index stdin --nothing',
      'longhaul index verify [PATTERN...] [--full] [--mend]',
      'npm run bench -- --only nothing',
      'npm start -- --roots x',
      'npm run nothing',
      'npx vitest run --project nothing',
      'npm test -- no-such-test',
      'node scripts/nothing.mjs',
      'longhaul sync --all && docker compose exec worker longhaul nothing',
      '```',
      '`longhaul index add|nothing`, `longhaul search --nothing`, `longhaul groups list|show`',
    ].join('\n');
    const { checked, wrong } = await wrongCommands(readPage('x.md', text));
    expect(checked).toBe(15);
    expect(wrong.map((line) => line.split('\n')[0])).toEqual([
      "x.md:3 longhaul sync --everything: error: unknown option '--everything'",
      "x.md:4 longhaul index stdin --nothing: error: unknown option '--nothing'",
      "x.md:5 longhaul index verify [PATTERN...] [--full] [--mend]: error: unknown option '--mend'",
      expect.stringContaining('x.md:6 npm run bench -- --only nothing: There is no benchmark nothing'),
      expect.stringContaining("x.md:7 npm start -- --roots x: LonghaulError: Unknown option '--roots'"),
      'x.md:8 npm run nothing: package.json has no script nothing',
      'x.md:9 npx vitest run --project nothing: no project of tests is called nothing',
      'x.md:10 npm test -- no-such-test: no test is in no-such-test',
      'x.md:11 node scripts/nothing.mjs: no such file: scripts/nothing.mjs',
      "x.md:12 docker compose exec worker longhaul nothing: error: unknown command 'nothing'",
      'x.md:14 longhaul index add|nothing: unknown command nothing',
      'x.md:14 longhaul search --nothing: unknown option --nothing',
    ]);
  });
});
