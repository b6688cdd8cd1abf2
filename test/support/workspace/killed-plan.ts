import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { git } from '../scratch-git.ts';
import type { PlanOrder } from './plan-process.ts';
import { type MadePlan, type PlanPlace, siteOf, walk } from './plan-site.ts';
import type { PlannedWorkspace } from './planned-workspace.ts';

/** A copy of a planned workspace, with folders of its own for data and cache. The plan and the origins are the same. */
export function copyOf<Place extends PlanPlace>(place: Place): Place {
  mkdirSync(join(place.scratch, 'copies'), { recursive: true });
  const scratch = mkdtempSync(join(place.scratch, 'copies', 'copy-'));
  const root = join(scratch, 'root');
  cpSync(place.root, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return { ...place, scratch, root };
}

/** How a process that works on a plan has ended. */
export interface EndedPlanProcess {
  readonly killedBy: NodeJS.Signals | null;
  readonly output: string;
}

/** Applies the plan in a process of its own, or undoes what is in progress. */
export async function inOtherProcess(
  place: PlanPlace & MadePlan,
  work: 'apply' | 'undo',
  options: Pick<PlanOrder, 'doom'> & { readonly path?: string; readonly onStarted?: (pid: number) => void },
): Promise<EndedPlanProcess> {
  const { scratch, root } = place;
  const { onStarted, ...rest } = options;
  const plan = join(scratch, 'plan.json');
  writeFileSync(plan, place.bytes);
  const order: PlanOrder = { scratch, root, plan: work === 'apply' ? plan : null, id: place.plan.id, ...rest };
  const program = fileURLToPath(new URL('./plan-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => void (output += piece.toString()));
  if (child.pid !== undefined) onStarted?.(child.pid);
  const [, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { killedBy, output };
}

/**
 * Kills the process that applies the plan at this entry of its journal, lets another one apply or undo it, and checks that
 * the workspace is exactly as it was, or as the plan wants it.
 */
export async function killAndFinish<Place extends PlanPlace & MadePlan>(
  template: Place,
  doom: NonNullable<PlanOrder['doom']>,
  then: 'apply' | 'undo',
  check: (place: Place, what: string) => void,
): Promise<void> {
  const place = copyOf(template);
  const at = 'entry' in doom ? `the entry ${doom.entry}` : `the call ${doom.call}`;
  const what = `killed ${doom.when} ${at}, then ${then}`;
  const before = walk(place.root);
  const { killedBy, output } = await inOtherProcess(place, 'apply', { doom });
  expect(killedBy, `${what}: ${output}`).toBe('SIGKILL');
  if (then === 'apply') {
    const { outcome, drift } = await applyWorkspacePlan(place.bytes, siteOf(place));
    expect([outcome === 'committed' || outcome === 'unchanged', drift], what).toEqual([
      true,
      { added: [], removed: [], changed: [] },
    ]);
    check(place, what);
    return;
  }
  const { outcome, plan, left } = await undoWorkspacePlan(siteOf(place), place.plan.id);
  expect(left, what).toEqual([]);
  // none was in progress: it had not begun, or was over
  const isOver = plan === null && JSON.stringify(walk(place.root)) !== JSON.stringify(before);
  if (outcome === 'committed' || isOver) check(place, what);
  else expect(walk(place.root), what).toEqual(before);
}

/** Checks with git and the file system that the workspace is as the plan wants it, and that nothing else is there. */
export function checkApplied({ root, origin, plan }: PlannedWorkspace, what?: string): void {
  const found = Object.entries(walk(root)).filter(
    ([name]) => !name.includes('/.git/') && name !== '/.graft/.gitignore',
  );
  const names = found.map(([name]) => name).filter((name) => !name.endsWith('as a repository'));
  const clone = (path: string): string[] => ['', '/.git', '/a b', '/package.json'].map((name) => `/${path}${name}`);
  expect(
    names.filter((name) => name !== '/.graft'),
    what,
  ).toEqual(['', '/.graft/state.json', '/libs', ...clone('libs/core'), '/longhaul.workspace.yaml', ...clone('web')]);
  const { repos } = JSON.parse(readFileSync(join(root, '.graft/state.json'), 'utf8')) as { readonly repos: unknown };
  expect(repos, what).toEqual([
    { name: 'core', path: 'libs/core', ownership: 'managed', plan: plan.id },
    { name: 'web', path: 'web', ownership: 'managed', plan: plan.id },
  ]);
  for (const [path, name, head] of [
    ['libs/core', 'core', '## topic...origin/topic'],
    ['web', 'web', '## new'],
  ] as const) {
    const folder = join(root, path);
    expect(git(folder, 'status', '--porcelain', '--branch', '--ignored'), what).toBe(head);
    expect(git(folder, 'rev-parse', 'HEAD'), what).toBe(git(origin(name), 'rev-parse', 'HEAD'));
    expect(git(folder, 'fsck', '--strict', '--no-dangling'), what).toBe('');
  }
}
