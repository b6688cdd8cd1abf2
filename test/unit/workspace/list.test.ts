import { execFileSync } from 'node:child_process';
import { appendFileSync, linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { diskUse } from '../../../activities/workspace/disk-use.ts';
import type { KnownWorkspace } from '../../../activities/workspace/list-workspaces.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { siteOf } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';
import { runWorkspace } from '../../support/workspace/run-workspace.ts';

/** What du(1) says. */
function du(folder: string): number {
  return Number.parseInt(execFileSync('du', ['-s', '--block-size=1', folder], { encoding: 'utf8' }), 10);
}

test('the space of a folder is what du says; what other folders have, too, is apart', async () => {
  const scratch = scratchFolder();
  const folder = join(scratch, 'folder');
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  writeFileSync(join(folder, 'a', 'one'), Buffer.alloc(100_000, 1));
  linkSync(join(folder, 'a', 'one'), join(folder, 'a', 'b', 'again'));
  writeFileSync(join(scratch, 'cached'), Buffer.alloc(50_000, 1));
  const before = await diskUse(folder);
  expect(before).toEqual({ bytes: du(folder), shared: 0 });
  linkSync(join(scratch, 'cached'), join(folder, 'pack'));
  const { bytes, shared } = await diskUse(folder);
  expect([bytes, bytes + shared]).toEqual([before.bytes, du(folder)]);
  expect(await diskUse(join(scratch, 'nothing'))).toEqual({ bytes: 0, shared: 0 });
});

test('longhaul workspace list says what this machine has', async () => {
  const scratch = scratchFolder();
  const listed = async (): Promise<KnownWorkspace[]> => {
    const { code, out } = await runWorkspace(scratch, ['list', '--json']);
    expect(code).toBe(0);
    return JSON.parse(out) as KnownWorkspace[];
  };
  expect(await listed()).toEqual([]);
  const place = await plannedWorkspace(scratch);
  appendFileSync(join(place.root, 'longhaul.workspace.yaml'), '\nttl: 2h\n');
  await applyWorkspacePlan(place.bytes, siteOf(place));
  const [ready] = await listed();
  const { root } = place;
  expect(ready).toMatchObject({ name: 'root', root, state: 'ready', repositories: 2, dirty: 0, drift: 0, ttl: '2h' });
  expect((ready?.disk.bytes ?? 0) + (ready?.disk.shared ?? 0)).toBe(du(root));
  writeFileSync(join(root, 'web', 'new'), '');
  git(join(root, 'libs', 'core'), 'commit', '--quiet', '--allow-empty', '--message', 'mine');
  git(join(root, 'web'), 'checkout', '--quiet', '-b', 'other');
  expect(await listed()).toMatchObject([{ state: 'drifted', dirty: 1, ahead: 1, behind: 0, drift: 1 }]);
  const { out } = await runWorkspace(scratch, ['list']);
  expect(out).toMatch(/root *│ drifted *│ 2 *│ 1 *│ 1 *│ *│ 1 *│ 2h *│ [\d.]+ [KM]iB/);
  writeFileSync(join(root, 'longhaul.workspace.yaml'), 'repositories: 1');
  expect(await listed()).toMatchObject([
    { state: 'unreadable', problem: expect.stringContaining('repositories') as string },
  ]);
  renameSync(root, `${root}.away`);
  expect(await listed()).toMatchObject([{ state: 'gone', repositories: 0 }]);
});
