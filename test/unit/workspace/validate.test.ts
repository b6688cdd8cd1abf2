import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decidingVariable } from '../../../activities/workspace/allowed-place.ts';
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

test('with --quick a change counts that git was told not to look at', async () => {
  const { run, ran, root } = workspace();
  await run();
  ran();
  git(join(root, 'lib'), 'config', 'core.fileMode', 'false');
  await run('--quick');
  expect(ran()).toEqual([]);
  chmodSync(join(root, 'lib', 'check.sh'), 0o755);
  await run('--quick');
  expect(ran()).toEqual(['app', 'lib']);
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
    'repositories: [{ name: sum }]\nenvironment: { FROM_MANIFEST: "1" }\n',
  );
  const { env } = machine(scratch, [['go', 'test']]);
  const environment = { ...env, SECRET_TOKEN: 'x', HOME: process.env['HOME'] };
  const passed = await runWorkspace(scratch, ['validate', '--root', root, '--json'], environment);
  expect([passed.code, passed.out]).toEqual([0, expect.stringContaining('example.com/sum')]);
  writeFileSync(join(root, 'sum', 'sum.go'), 'package sum\n\nfunc Sum(a, b int) int { return a - b }\n');
  const failed = await runWorkspace(scratch, ['validate', '--root', root], environment);
  expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('--- FAIL: TestSum')]);
});

test('a repository that is changed while it is checked is not recorded, and neither is what needs it', async () => {
  const { run, ran, root } = workspace();
  await run();
  ran();
  const head = git(join(root, 'lib'), 'rev-parse', 'HEAD');
  const [lib, other] = [join(root, 'lib'), join(root, 'other')];
  // a person commits while the tests run
  const check = `touch new.txt && git add --all && git -c user.name=a -c user.email=a@b commit -qm second\n`;
  writeFileSync(join(lib, 'check.sh'), check);
  git(lib, 'commit', '--quiet', '--all', '--message', 'commits');
  const { code, out } = await run();
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('not recorded, because it or what it needs was changed meanwhile: lib, app'),
  ]);
  const records = await validationRecords(root);
  const [now, before] = [git(lib, 'rev-parse', 'HEAD'), git(lib, 'rev-parse', 'HEAD~1')];
  for (const commit of [head, before, now]) expect(testsPassing(records, 'lib', commit)).toBeNull();
  expect([records['app'], testsPassing(records, 'other', git(other, 'rev-parse', 'HEAD'))]).toEqual([undefined, true]);
  ran();
  writeFileSync(join(lib, 'check.sh'), 'exit 0\n');
  const quick = await run('--quick', '--json');
  expect(quick.out).not.toContain('repos_changed');
  expect(ran()).toEqual(['app', 'lib']);
  git(lib, 'checkout', '--quiet', 'check.sh');
  writeFileSync(join(lib, 'check.sh'), 'date +%N > stamp\n');
  expect((await run('lib', '--json')).out).toContain('{"event":"repos_changed","repos":["lib","app"]}');
});

test('no variable of the manifest makes another program of one that is allowed', async () => {
  const { scratch, root, run } = workspace();
  const hostile = join(root, 'lib', 'bin');
  mkdirSync(hostile);
  writeFileSync(join(hostile, 'npm'), `#!/bin/sh\ntouch ${scratch}/hostile\n`, { mode: 0o755 });
  const names = `
    PATH LD_PRELOAD DYLD_INSERT_LIBRARIES BASH_ENV ENV SHELL
    GIT_SSH_COMMAND npm_config_shell YARN_YARN_PATH MAKEFILES MAKEFLAGS CC
    CFLAGS PKG_CONFIG_PATH GOFLAGS GOCACHEPROG CGO_CFLAGS ERL_AFLAGS
    ERL_ZFLAGS MIX_REBAR3 MIX_REBAR JDK_JAVA_OPTIONS _JAVA_OPTIONS JAVA_TOOL_OPTIONS
    PYTHONSTARTUP PERL5OPT RUBYOPT RUSTC_WRAPPER CARGO_TARGET_X_RUNNER`
    .trim()
    .split(/\s+/);
  for (const name of names) {
    writeFileSync(
      join(root, 'longhaul.workspace.yaml'),
      `repositories: [{ name: lib }]\nenvironment: { ${name}: "./bin:/usr/bin:/bin" }\n`,
    );
    const { code, err } = await run('lib');
    expect([code, err]).toEqual([9, expect.stringContaining(`The manifest sets the variable ${name},`)]);
  }
  for (const name of ['CI', 'MIX_ENV', 'NODE_ENV', 'CGO_ENABLED', 'RUST_BACKTRACE', 'GOOS', 'TZ']) {
    expect([name, decidingVariable({ [name]: '1' })]).toEqual([name, null]);
  }
  expect(existsSync(join(scratch, 'hostile'))).toBe(false);
});

test('a program is the one of the PATH of the person, never one of the repository', async () => {
  const { scratch, root } = workspace();
  const bin = join(root, 'lib', 'node_modules-bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'check-it'), `#!/bin/sh\ntouch ${scratch}/hostile\n`, { mode: 0o755 });
  writeFileSync(
    join(root, 'longhaul.workspace.yaml'),
    'repositories: [{ name: lib, commands: { test: [check-it] } }]\n',
  );
  const { env } = machine(scratch, [['check-it']]);
  const own = { ...env, PATH: `node_modules-bin:${env['PATH'] ?? ''}` };
  const { code, out } = await runWorkspace(scratch, ['validate', '--root', root, 'lib'], own);
  expect([code, out, existsSync(join(scratch, 'hostile'))]).toEqual([
    1,
    expect.stringContaining('There is no program check-it.'),
    false,
  ]);
});
