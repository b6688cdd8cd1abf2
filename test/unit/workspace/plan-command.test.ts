import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { WorkspacePlan } from '../../../domain/workspace/workspace-plan.ts';
import { waitForLock } from '../../../platform/file-lock.ts';
import { signature } from '../../../platform/process-identity.ts';
import { git, scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { committedRepository, packageJson, runWorkspace } from '../../support/workspace/run-workspace.ts';

const BIN = fileURLToPath(new URL('../../../client/bin.ts', import.meta.url));
const ELSEWHERE = new URL('../../support/workspace/elsewhere.mjs', import.meta.url).href;

/** A workspace with the repository `web`, and a manifest that also asks for `core` and a link. */
function workspace(): { readonly scratch: string; readonly root: string } {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  const core = committedRepository(join(scratch, 'origins', 'core'), {
    'package.json': packageJson('@acme/core', '1.4.0'),
  });
  git(core, 'repack', '-ad', '--quiet');
  committedRepository(join(root, 'web'), { 'package.json': packageJson('web', '1.0.0', { '@acme/core': '^1.0.0' }) });
  const manifest = [
    'repositories:',
    '  - { name: web, branch: topic, setup: [[git, version]] }',
    `  - { name: core, origin: "${core}" }`,
    'links: [{ from: web, to: core }]',
  ];
  writeFileSync(join(root, 'longhaul.workspace.yaml'), manifest.join('\n'));
  return { scratch, root };
}

const read = (file: string): WorkspacePlan => JSON.parse(readFileSync(file, 'utf8')) as WorkspacePlan;

/** The plan of a workspace; fails unless the command ends with this code. */
async function planOf(
  { scratch, root }: ReturnType<typeof workspace>,
  code = 0,
): Promise<{ plan: WorkspacePlan; out: string }> {
  const file = join(scratch, 'plan.json');
  const ended = await runWorkspace(scratch, ['plan', '--root', root, '-o', file], { PATH: process.env['PATH'] });
  expect(ended.code, ended.err).toBe(code);
  return { plan: read(file), out: ended.out };
}

test('a plan is printed, and written with its keys in order; nothing else is', async () => {
  const place = workspace();
  const { plan, out } = await planOf(place);
  expect(plan).toMatchObject({ action: 'attach', status: 'verified', created_at: expect.any(String), error: null });
  expect(plan.id).toMatch(/^[0-9a-f]{16}$/);
  expect(plan.current.id).not.toBe(plan.desired.id);
  expect(plan.operations.map(({ type, target }) => `${type} ${target}`)).toEqual([
    'attach_repo core',
    'attach_repo web',
    'create_link web/core',
    'run_command web',
  ]);
  expect(plan.preconditions.map(({ type }) => type)).toContain('space_free');
  expect(out).toContain('2. ~ web: check out the branch topic in web');
  expect(out).toContain('4. $ git version   in web   (after 2, 3)');
  expect(git(join(place.root, 'web'), 'status', '--porcelain')).toBe('');
  expect(git(join(place.root, 'web'), 'branch', '--list')).toBe('* main');
  const keys = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.values(value).every(keys) &&
      (Array.isArray(value) || Object.keys(value).join() === Object.keys(value).toSorted().join()));
  expect(keys(plan)).toBe(true);
});

test.each<[type: string, target: string, breakIt: (root: string) => void]>([
  ['repo_clean', 'web', (root) => writeFileSync(join(root, 'web', 'new'), '')],
  ['path_free', 'core', (root) => mkdirSync(join(root, 'core'))],
  [
    'lock_available',
    '.graft/lock',
    (root) => {
      mkdirSync(join(root, '.graft'));
      writeFileSync(join(root, '.graft', 'lock'), '');
    },
  ],
  [
    'branch_free',
    'web',
    (root) => git(join(root, 'web'), 'worktree', 'add', '--quiet', join(root, '..', 'tree'), '-b', 'topic'),
  ],
  [
    'capability_available',
    'no-such-program',
    (root) => {
      const file = join(root, 'longhaul.workspace.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('[git, version]', '[no-such-program]'));
    },
  ],
  [
    'repo_exists',
    'lib',
    (root) => {
      const file = join(root, 'longhaul.workspace.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('links:', '  - { name: lib }\nlinks:'));
    },
  ],
])('a plan whose %s (%s) does not hold ends with 9 and says which', async (type, target, breakIt) => {
  const place = workspace();
  breakIt(place.root);
  const { plan, out } = await planOf(place, 9);
  expect(plan.status).toBe('planned');
  const broken = plan.preconditions.find((one) => one.type === type && one.target === target);
  expect(broken).toBeDefined();
  const failing = out.split('\n').filter((line) => line.startsWith('  FAILS'));
  expect(failing).toHaveLength(1);
  expect(failing[0]).toContain(broken?.message);
});

test('a lock whose process has ended does not hold a plan up, and one that is held does', async () => {
  const place = workspace();
  const file = join(place.root, '.graft', 'lock');
  // with a start that no process of this pid ever had
  mkdirSync(join(place.root, '.graft'));
  writeFileSync(file, JSON.stringify({ ...signature(), start: signature().start.replace(/\d+$/, '1'), token: 'x' }));
  expect((await planOf(place)).plan.status).toBe('verified');
  expect(existsSync(file)).toBe(true);
  const lock = await waitForLock(file);
  const { out } = await planOf(place, 9);
  await lock.release();
  expect(out).toContain(`But the process ${process.pid} holds ${file}.`);
});

test('a version that does not fit, and a cycle, make a plan that cannot be', async () => {
  const { scratch, root } = workspace();
  const core = committedRepository(join(root, 'core'), {
    'package.json': packageJson('@acme/core', '2.0.0', { web: '^1.0.0' }),
  });
  git(core, 'remote', 'add', 'origin', join(scratch, 'origins', 'core'));
  const { out } = await planOf({ scratch, root }, 9);
  expect(out).toContain('FAILS  web needs @acme/core ^1.0.0, and core has 2.0.0. But 2.0.0 does not fit ^1.0.0.');
  // they need each other already
  expect(out).not.toContain('there would be a cycle');
  const file = join(root, 'longhaul.workspace.yaml');
  writeFileSync(join(core, 'package.json'), packageJson('@acme/core', '1.0.0'));
  git(core, 'commit', '--quiet', '--all', '--message', 'one');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('}]', '}, { from: core, to: web }]').replace(', branch: topic', ''),
  );
  expect((await planOf({ scratch, root }, 9)).out).toContain(
    'FAILS  These repositories would need each other: core, web. But',
  );
});

test('a workspace that is as it should be has a plan without steps', async () => {
  const { scratch, root } = workspace();
  writeFileSync(join(root, 'longhaul.workspace.yaml'), 'repositories: [{ name: web, setup: [["false"]] }]');
  const { code, out } = await runWorkspace(scratch, ['plan', '--root', root]);
  expect([code, out]).toEqual([0, expect.stringMatching(/is as it should be: there is nothing to do/)]);
});

test('a plan can lead to a snapshot that was kept, also to one of Graft', async () => {
  const { scratch, root } = workspace();
  writeFileSync(join(root, 'longhaul.workspace.yaml'), 'repositories: [{ name: web }]');
  const kept = join(scratch, 'kept.json');
  await runWorkspace(scratch, ['status', '--root', root, '--snapshot', kept]);
  git(join(root, 'web'), 'checkout', '--quiet', '-b', 'topic');
  const back = await runWorkspace(scratch, ['plan', '--root', root, '--to', kept]);
  expect([back.code, back.out]).toEqual([0, expect.stringContaining('~ web: check out the branch main in web')]);
  const snapshot = JSON.parse(readFileSync(kept, 'utf8')) as object;
  for (const path of ['../web', '/web', 'a/../../web', 'a/.git']) {
    writeFileSync(kept, JSON.stringify(snapshot).replace('"path":"web"', `"path":"${path}"`));
    const outside = await runWorkspace(scratch, ['plan', '--root', root, '--to', kept]);
    expect([outside.code, outside.err]).toEqual([
      2,
      expect.stringContaining(`has the folder ${path}, which is not below the root`),
    ]);
  }
  writeFileSync(kept, JSON.stringify({ ...snapshot, schema_version: 3 }));
  const later = await runWorkspace(scratch, ['plan', '--root', root, '--to', kept, '--json']);
  expect([later.code, JSON.parse(later.out)]).toEqual([
    3,
    { error: expect.objectContaining({ kind: 'schema_mismatch' }) },
  ]);
});

test('the compared bytes are the same in another process, below another root, of another user, zone, locale and year', async () => {
  const { scratch, root } = workspace();
  // a letter whose order, and whose capital, depend on the locale
  for (const name of ['ilk', 'Izmir', 'zebra', 'a_b']) {
    committedRepository(join(root, name), {
      'package.json': packageJson(name, '1.0.0', { zebra: '1.0.0', ilk: '1.0.0', Izmir: '1.0.0' }),
    });
  }
  const file = join(root, 'longhaul.workspace.yaml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(
      'links:',
      '  - { name: ilk }\n  - { name: Izmir }\n  - { name: zebra }\n  - { name: a_b }\nlinks:',
    ),
  );
  for (const name of ['z', 'I/i', 'i/I', 'b'])
    committedRepository(join(root, 'more', name), { 'go.mod': `module ${name}\n` });
  const other = join(scratch, 'far', 'away', 'place');
  cpSync(root, other, { recursive: true, preserveTimestamps: true });
  const run = async (at: string, plan: string, env: NodeJS.ProcessEnv, ...node: string[]): Promise<void> => {
    const cache = join(scratch, `cache-${plan}`);
    for (const folder of [cache, join(scratch, plan)]) {
      mkdirSync(folder);
      chmodSync(folder, 0o777);
    }
    const folders = { LONGHAUL_CACHE_DIR: cache, LONGHAUL_DATA_DIR: cache };
    const start = (...args: string[]) =>
      promisify(execFile)(process.execPath, [...node, BIN, 'workspace', ...args], {
        env: { ...SCRATCH_ENV, ...folders, ...env },
        cwd: cache,
      });
    await start('plan', '--root', at, '-o', join(scratch, plan, 'plan.json'));
    // without a manifest, the folders are listed
    await start('status', '--root', join(at, 'more'), '--snapshot', join(scratch, plan, 'snapshot.json'));
  };
  chmodSync(scratch, 0o755);
  await run(root, 'one', { TZ: 'UTC', LC_ALL: 'C' });
  await run(other, 'two', { TZ: 'Pacific/Apia', LC_ALL: 'tr_TR.UTF-8', USER: 'ada', HOME: '/' }, '--import', ELSEWHERE);
  const [one, two] = ['one', 'two'].map((name) => read(join(scratch, name, 'plan.json')));
  if (one === undefined || two === undefined) throw new Error('no plans');
  expect(two.id).toBe(one.id);
  expect(two.current.root).not.toBe(one.current.root);
  expect(Date.parse(two.created_at) - Date.parse(one.created_at)).toBeGreaterThan(300 * 86_400_000);
  // without the keys that say where and when: byte for byte
  const compared = (plan: object): string =>
    JSON.stringify(plan, (key, value: unknown) =>
      ['root', 'absolute_path', 'repo_path', 'generated_at', 'created_at'].includes(key) ? undefined : value,
    );
  expect(compared(two)).toBe(compared(one));
  const [here, there] = ['one', 'two'].map((name) => read(join(scratch, name, 'snapshot.json')));
  expect(there?.id).toBe(here?.id);
  expect(compared(there ?? {})).toBe(compared(here ?? {}));
});

test('a plan that cannot be read is one sentence, before any server is asked', async () => {
  const { scratch, root } = workspace();
  const missing = join(scratch, 'missing.json');
  for (const [file, why] of [
    [missing, `there is no file ${missing}`],
    [root, `${root} is a folder`],
  ] as const) {
    const { code, err } = await runWorkspace(scratch, ['apply', file, '--root', root, '--host', 'desk'], {
      PATH: process.env['PATH'],
    });
    expect(code, err).toBe(2);
    expect(err).toContain(`The plan cannot be read: ${why}.`);
  }
});

test('a snapshot that is not there, and a folder for the plan that is not there, are one sentence', async () => {
  const { scratch, root } = workspace();
  const missing = join(scratch, 'missing.json');
  const to = await runWorkspace(scratch, ['plan', '--root', root, '--to', missing]);
  expect([to.code, to.err]).toEqual([
    2,
    expect.stringContaining(`The snapshot cannot be read: there is no file ${missing}.`),
  ]);
  expect(to.err).not.toContain('ENOENT');
  const folder = join(scratch, 'no', 'folder');
  const output = await runWorkspace(scratch, ['plan', '--root', root, '-o', join(folder, 'plan.json')]);
  expect([output.code, output.err]).toEqual([
    2,
    expect.stringContaining(`The plan cannot be written to ${folder}/plan.json: there is no folder ${folder}.`),
  ]);
  expect(existsSync(join(scratch, 'no'))).toBe(false);
});
