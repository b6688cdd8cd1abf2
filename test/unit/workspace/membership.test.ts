import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { originOfTarget } from '../../../client/cli/workspace/origin-of-target.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { planPlace, walk } from '../../support/workspace/plan-site.ts';
import { committedRepository, packageJson, runWorkspace } from '../../support/workspace/run-workspace.ts';

/** A workspace with a clone `old` and its manifest, and the origins `old` and `web`. */
function workspace() {
  const place = planPlace(scratchFolder());
  const origin = (name: string): string => join(place.scratch, 'origins', name);
  for (const name of ['old', 'web']) committedRepository(origin(name), { 'package.json': packageJson(name, '1.0.0') });
  git(place.root, 'clone', '--quiet', origin('old'), 'old');
  mkdirSync(join(place.root, 'other'));
  writeFileSync(
    join(place.root, 'longhaul.workspace.yaml'),
    `repositories:\n  - { name: old, origin: "${origin('old')}" }\n  - { name: other }\n`,
  );
  const run = async (...args: string[]) => runWorkspace(place.scratch, [...args, '--root', place.root]);
  return { ...place, origin, run };
}

describe('add', () => {
  test('--dry-run says what would be cloned and changes nothing', async () => {
    const { root, run, origin } = workspace();
    const before = walk(root);
    const { code, out } = await run('add', origin('web'), origin('old'), '--to-manifest', '--dry-run', '--json');
    expect(code).toBe(0);
    const outcome = (name: string, status: string, message: string): string =>
      `{"absolute_path":"${root}/${name}","delete":false,"dirty":false,"failures":[],"message":"${message}","name":"${name}","path":"${name}","status":"${status}"}`;
    expect(out).toBe(
      `{"applied":false,"delete":false,"dry_run":true,"force":false,"operation":"add","outcomes":[${[
        outcome('web', 'planned', `cloned from ${origin('web')} into web`),
        outcome('old', 'present', 'it is at old already'),
      ].join(',')}],"passed":true,"root":"${root}"}\n`,
    );
    expect(walk(root)).toEqual(before);
  });

  test('refuses what is in the way, by name, before the first change', async () => {
    const { root, run, scratch } = workspace();
    const other = committedRepository(join(scratch, 'elsewhere', 'old'), { a: '1\n' });
    const third = committedRepository(join(scratch, 'elsewhere', 'other'), { a: '1\n' });
    const before = walk(root);
    const { code, out } = await run('add', other, third);
    expect([code, walk(root)]).toEqual([9, before]);
    expect(out).toContain(`old [error]\n  - There is another repository at old`);
    expect(out).toContain(`other [error]\n  - There must be nothing at other. But there is a folder`);
  });

  test.each([
    ['acme/api', [], 'https://github.com/acme/api.git'],
    ['https://x.example/a/b.git', [], 'https://x.example/a/b.git'],
    ['acme/api', [{ type: 'gitea', name: 'work', url: 'https://git.work/' }], 'https://git.work/acme/api.git'],
    ['work/acme/sub/api', [{ type: 'gitlab', name: 'work', url: 'https://l.x' }], 'https://l.x/acme/sub/api.git'],
    ['here/acme/api', [{ type: 'local', name: 'here', root: '/srv/git' }], '/srv/git/acme/api'],
  ])('%s of %o is cloned from %s', (target, providers, origin) => {
    expect(originOfTarget(target, providers as unknown as Parameters<typeof originOfTarget>[1])).toBe(origin);
  });

  test.each(['api', '../x', '-x/y', 'a/b/c'])('%s names no repository', async (target) => {
    const { run } = workspace();
    const { code, out } = await run('add', '--json', '--', target);
    expect([code, out]).toEqual([2, expect.stringContaining('"kind":"plan_invalid_operation"')]);
  });
});

describe('remove', () => {
  test('changes only the manifest, and needs no server for that', async () => {
    const { root, run } = workspace();
    const { code, out } = await run('remove', 'old');
    expect([code, out]).toEqual([0, 'old [removed] taken out of longhaul.workspace.yaml\n']);
    expect(readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8')).toBe('repositories:\n  - { name: other }\n');
    expect(existsSync(join(root, 'old/.git'))).toBe(true);
  });

  test.each([
    ['a file', (old: string) => writeFileSync(join(old, 'new'), 'mine\n')],
    ['a commit', (old: string) => git(old, 'commit', '--quiet', '--allow-empty', '--message', 'mine')],
    [
      'a stash',
      (old: string) => {
        writeFileSync(join(old, 'package.json'), '{}');
        git(old, 'stash');
      },
    ],
  ])('--delete refuses %s that is saved nowhere else, by name', async (_what, work) => {
    const { root, run } = workspace();
    work(join(root, 'old'));
    const before = walk(root);
    const { code, out } = await run('remove', 'old', '--delete', '--json');
    expect(code).toBe(9);
    expect(JSON.parse(out)).toMatchObject({
      applied: false,
      passed: false,
      outcomes: [{ name: 'old', status: 'error', dirty: true, failures: [{ kind: 'remove_dirty_repo' }] }],
    });
    const forced = await run('remove', 'old', '--delete', '--force');
    expect([forced.code, forced.err]).toEqual([
      9,
      expect.stringMatching(/This must be confirmed: old leaves, and is kept in quarantine: it has .*--yes/),
    ]);
    expect(walk(root)).toEqual(before);
  });

  test('a name that is not there is an error as Graft prints it', async () => {
    const { run } = workspace();
    const { code, out } = await run('remove', 'nope', '--json');
    expect([code, out]).toEqual([
      2,
      '{"error":{"details":{"targets":["nope"]},"kind":"plan_target_not_in_workspace","message":"Target app(s) not declared as siblings in longhaul.workspace.yaml: [:nope]"}}\n',
    ]);
  });
});
