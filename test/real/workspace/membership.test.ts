import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { hostTest } from '../../support/workspace/workspace-host.ts';

const test = hostTest();

test('repositories are added to a workspace and removed from it, and nothing that is unsaved is lost', async ({
  host,
}) => {
  const { estate, roots, ledger } = host;
  await estate.create('acme/api', { 'README.md': 'an api\n' });
  await estate.create('acme/web', { 'README.md': 'a page\n' });
  const root = join(roots, 'task');
  mkdirSync(root);
  const workspace = (...args: string[]) => host.longhaul('workspace', ...args, '--root', root);
  const repos = [estate.gitDir('acme/api'), estate.gitDir('acme/web')];

  const added = await workspace('add', ...repos, '--to-manifest', '--branch', 'feature/x', '--json');
  expect(added).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(added.stdout)).toMatchObject({ applied: true, passed: true, outcomes: [{ status: 'added' }, {}] });
  for (const name of ['api', 'web']) expect(git(join(root, name), 'branch', '--show-current')).toBe('feature/x');
  expect(await workspace('status', '--drift')).toMatchObject({ exitCode: 0 });
  const again = await workspace('add', ...repos, '--to-manifest');
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('api [present]') as string });

  writeFileSync(join(root, 'web', 'new'), 'mine\n');
  expect(await workspace('remove', 'web', '--delete')).toMatchObject({ exitCode: 9 });
  const forced = await workspace('remove', 'web', '--delete', '--force', '--yes');
  expect(forced).toMatchObject({ exitCode: 0 });
  const id = /^kept in quarantine: longhaul workspace restore (\w+)$/m.exec(forced.stdout)?.[1] ?? '';
  expect(existsSync(join(root, 'web'))).toBe(false);
  expect(readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8')).not.toContain('web');
  const rows = await ledger.sql<{ readonly details: object; readonly actor: string }>(
    `SELECT details_json AS details, actor FROM longhaul.audit_events WHERE event_type = 'workspace.planned' AND details_json::text LIKE '%confirmed%'`,
  );
  const confirmed = ['web leaves, and is kept in quarantine: it has changes or files that are not committed.'];
  expect(rows).toEqual([{ details: expect.objectContaining({ confirmed }) as object, actor: 'tester' }]);
  expect(readdirSync(root).toSorted()).toEqual(['.graft', 'api', 'longhaul.workspace.yaml']);

  expect(await host.longhaul('workspace', 'restore', id)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(root, 'web', 'new'), 'utf8')).toBe('mine\n');
});
