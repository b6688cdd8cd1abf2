import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testsPassing } from '../../../domain/workspace/validation-record.schema.ts';
import { validationRecords } from '../../../activities/workspace/validation/validation-files.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { committedRepository, machine, runWorkspace } from '../../support/workspace/run-workspace.ts';

/** Three npm packages, `app` needs `lib`, and `other` nothing. Their tests write a line each time they run. */
function workspace() {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  const log = join(scratch, 'log');
  const packageOf = (name: string, dependencies: object): string =>
    JSON.stringify({
      name,
      version: '1.0.0',
      dependencies,
      scripts: { test: `echo ${name} >> ${log} && sh check.sh` },
    });
  const make = (name: string, dependencies = {}): string =>
    committedRepository(join(root, name), { 'package.json': packageOf(name, dependencies), 'check.sh': 'exit 0\n' });
  make('app', { lib: '1.0.0' });
  make('lib');
  make('other');
  const { env } = machine(scratch, [['npm', 'test']]);
  const run = async (...args: string[]) => runWorkspace(scratch, ['validate', '--root', root, ...args], env);
  const ran = (): string[] => {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    rmSync(log, { force: true });
    return lines.toSorted();
  };
  return { scratch, root, run, ran, log };
}

test('a repository and those that need it are checked, each after those that it needs', async () => {
  const { run, ran, root, log } = workspace();
  const all = await run('--json');
  expect(all.code).toBe(0);
  const order = readFileSync(log, 'utf8').trim().split('\n');
  expect(order.indexOf('lib')).toBeLessThan(order.indexOf('app'));
  expect(ran()).toEqual(['app', 'lib', 'other']);
  expect(await run('lib')).toMatchObject({ code: 0, out: expect.stringContaining('2 passed, 0 failed') as string });
  expect(ran()).toEqual(['app', 'lib']);
  const head = git(join(root, 'lib'), 'rev-parse', 'HEAD');
  const records = await validationRecords(root);
  expect([testsPassing(records, 'lib', head), testsPassing(records, 'lib', '0'.repeat(40))]).toEqual([true, null]);
});

test('with --quick what has passed with the same content does not run again, and its dependents do', async () => {
  const { run, ran, root } = workspace();
  await run();
  ran();
  expect(await run('--quick')).toMatchObject({ code: 0, out: expect.stringContaining('3 passed') as string });
  expect(ran()).toEqual([]);
  // another time, but the same content
  writeFileSync(join(root, 'other', 'package.json'), readFileSync(join(root, 'other', 'package.json')));
  await run('--quick');
  expect(ran()).toEqual([]);
  writeFileSync(join(root, 'lib', 'new.txt'), 'not committed\n');
  await run('--quick');
  expect(ran()).toEqual(['app', 'lib']);
  appendFileSync(join(root, 'lib', 'new.txt'), 'more\n');
  await run('--quick', 'lib');
  expect(ran()).toEqual(['app', 'lib']);
  // what is not committed says nothing about a commit
  const head = git(join(root, 'lib'), 'rev-parse', 'HEAD');
  expect(testsPassing(await validationRecords(root), 'lib', head)).toBeNull();
});

describe('a repository that fails', () => {
  test('keeps those that need it from being checked, and is where to look first', async () => {
    const { run, ran, root } = workspace();
    writeFileSync(join(root, 'lib', 'check.sh'), 'echo it is broken >&2\nexit 3\n');
    const { code, out } = await run('lib', '--json');
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event: string });
    expect(code).toBe(1);
    expect(events.at(-1)).toMatchObject({
      event: 'run_result',
      passed: false,
      failed_count: 1,
      skipped_count: 1,
      first_failure: { repo: 'lib', command_kind: 'test', failure_category: 'test_failure' },
    });
    expect(events.filter(({ event }) => event === 'command')).toMatchObject([
      { repo: 'lib', status: 'failed', output_tail: expect.stringContaining('it is broken') as string },
      { repo: 'app', status: 'skipped', exit_status: null },
    ]);
    expect(ran()).toEqual(['lib']);
    await run('lib', '--continue');
    expect(ran()).toEqual(['app', 'lib']);
    // neither ran to a good end
    await run('lib', '--quick');
    expect(ran()).toEqual(['lib']);
    const records = await validationRecords(root);
    expect(records['lib']).toMatchObject({ status: 'failed', dirty: true });
  });

  test('because there is no such program says so', async () => {
    const { scratch, root } = workspace();
    mkdirSync(join(root, 'elixir'));
    writeFileSync(
      join(root, 'longhaul.workspace.yaml'),
      'repositories: [{ name: lib, commands: { lint: [no-such] } }]',
    );
    const { env } = machine(scratch, [['no-such']]);
    const { code, out } = await runWorkspace(scratch, ['validate', '--root', root, '--json'], env);
    expect(code).toBe(1);
    expect(out).toContain('"first_failure":{"command_kind":"lint","failure_category":"command_not_found"');
  });
});

test('only what the machine allows runs, and nothing before all is allowed', async () => {
  const { scratch, root, ran } = workspace();
  for (const [commands, message] of [
    [[['npm', 'test', '--if-present', 'x']], 'npm test --if-present of lib is not run on this machine'],
    [[['np']], 'is not run on this machine'],
  ] as const) {
    const { env } = machine(scratch, commands);
    const refused = await runWorkspace(scratch, ['validate', '--root', root, '--json'], env);
    expect([refused.code, refused.out]).toEqual([9, expect.stringContaining(message)]);
    expect(refused.out).toContain('"kind":"plan_precondition_failed"');
  }
  const nowhere = await runWorkspace(scratch, ['validate', '--root', root]);
  expect([nowhere.code, nowhere.err]).toEqual([9, expect.stringContaining('the section "host"')]);
  expect(ran()).toEqual([]);
});

test('independent repositories are checked in parallel', async () => {
  const { run, root, scratch } = workspace();
  // each waits until the other one has begun
  for (const [own, other] of [
    ['lib', 'other'],
    ['other', 'lib'],
  ] as const) {
    writeFileSync(
      join(root, own, 'check.sh'),
      `touch ${scratch}/${own}.began\nfor i in $(seq 200); do [ -e ${scratch}/${other}.began ] && exit 0; sleep 0.1; done; exit 1\n`,
    );
  }
  expect(await run('--parallel', '2')).toMatchObject({ code: 0 });
});

test('Go modules are checked with go test, and a program gets no credential of the person', async () => {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  committedRepository(join(root, 'sum'), {
    'go.mod': 'module example.com/sum\n\ngo 1.21\n',
    'sum.go': 'package sum\n\nfunc Sum(a, b int) int { return a + b }\n',
    'sum_test.go':
      'package sum\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 || os.Getenv("SECRET_TOKEN") != "" || os.Getenv("FROM_MANIFEST") != "1" {\n\t\tt.Fatal("wrong")\n\t}\n}\n',
  });
  writeFileSync(
    join(root, 'longhaul.workspace.yaml'),
    'repositories: [{ name: sum }]\nenvironment: { FROM_MANIFEST: "1", GOFLAGS: -mod=mod }\n',
  );
  const { env } = machine(scratch, [['go', 'test']]);
  const environment = { ...env, SECRET_TOKEN: 'x', HOME: process.env['HOME'] };
  const passed = await runWorkspace(scratch, ['validate', '--root', root, '--json'], environment);
  expect([passed.code, passed.out]).toEqual([0, expect.stringContaining('example.com/sum')]);
  writeFileSync(join(root, 'sum', 'sum.go'), 'package sum\n\nfunc Sum(a, b int) int { return a - b }\n');
  const failed = await runWorkspace(scratch, ['validate', '--root', root], environment);
  expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('--- FAIL: TestSum')]);
});
