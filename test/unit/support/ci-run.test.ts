import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SUPPORT = join(ROOT, 'test', 'support');

/** A folder with these files; a file that begins with `#!` is a program. */
function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'longhaul-ci-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
    if (content.startsWith('#!')) chmodSync(join(path, name), 0o755);
  }
  return path;
}

/** Runs `.ci/run` with an `npm` whose suites print these texts, and end with 1 if they contain `FAILED`. */
function runCi(suite: string, durable: string): { readonly status: number | null; readonly lines: string[] } {
  const path = folder({
    '.ci/tools': '#!/bin/sh\n',
    'bin/npm': `#!/bin/sh
case "$*" in
  'run check') exit 0 ;;
  test) text='${suite}' ;;
  *) text='${durable}' ;;
esac
printf '%s\\n' "$text"
case "$text" in *FAILED*) exit 1 ;; esac
`,
  });
  copyFileSync(join(ROOT, '.ci', 'run'), join(path, '.ci', 'run'));
  const env = { ...process.env, PATH: `${join(path, 'bin')}:${process.env['PATH']}`, SHARD: '1' };
  const { status, stdout } = spawnSync(join(path, '.ci', 'run'), { env, encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

test('.ci/run ends with the failures of both suites, and their sum', () => {
  const first = 'noise\nFAILED printed by a test\nnoise\nFAILED a.test.ts > one: first\n10 passed, 1 failed';
  const { status, lines } = runCi(first, 'FAILED b.test.ts > two: second\n5 passed, 1 failed, 2 skipped');
  expect(status).toBe(1);
  expect(lines.slice(-4)).toEqual([
    '5 passed, 1 failed, 2 skipped',
    'FAILED a.test.ts > one: first',
    'FAILED b.test.ts > two: second',
    '15 passed, 2 failed',
  ]);
});

test('a suite that does not reach its last line is a failure with a name', () => {
  const { status, lines } = runCi('10 passed, 0 failed', 'killed');
  expect(status).toBe(1);
  expect(lines.slice(-2)).toEqual([
    'FAILED npm run test:durable -- --shard=1/8: it ended with exit code 0; its last line: killed',
    '10 passed, 1 failed',
  ]);
});

test('without a failure only the sum comes last', () => {
  const { status, lines } = runCi('10 passed, 0 failed', '5 passed, 0 failed');
  expect(status).toBe(0);
  expect(lines.slice(-2)).toEqual(['5 passed, 0 failed', '15 passed, 0 failed']);
});

test('a run of tests ends with its failures: of tests, of hooks, of files that do not load', () => {
  const path = folder({
    'vitest.config.mjs': 'export default { test: { globals: true } };\n',
    'fails.test.js': `
test('passes', () => {});
describe('outer', () => {
  test('fails', () => expect('a\\nb', 'first line\\nsecond line').toBe('c'));
});
`,
    'hook.test.js': `
describe('hook', () => {
  beforeAll(() => { throw new Error('no server'); });
  test('is not reached', () => {});
});
`,
    'load.test.js': `throw new Error('cannot load');\n`,
  });
  const reporter = join(SUPPORT, 'count-reporter.ts');
  const args = ['run', '--root', path, '--reporter', reporter];
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...args], { encoding: 'utf8', cwd: ROOT });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.at(-1), stderr).toMatch(/^1 passed, 3 failed/);
  expect(lines.slice(-4, -1).toSorted()).toEqual([
    expect.stringMatching(/^FAILED fails\.test\.js > outer > fails: .*first line/),
    'FAILED hook.test.js: no server',
    'FAILED load.test.js: cannot load',
  ]);
});
