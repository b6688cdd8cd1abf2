import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refuseOutside } from '../../../activities/workspace/allowed-place.ts';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import type { PlanProgress, PlanSite } from '../../../activities/workspace/plan-run.ts';
import { holdWorkspace } from '../../../activities/workspace/workspace-lock.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { isSameFolder } from '../../../platform/held-folder.ts';
import { failureOf } from '../../support/mgit.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { changedPlan, gitThatFirst, siteOf, walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace, type PlannedWorkspace } from '../../support/workspace/planned-workspace.ts';

/** A workspace two folders below its scratch folder, and a twin of the outer one: what is to be tricked into. */
async function besideTwin(): Promise<PlannedWorkspace & { readonly around: string; readonly twin: string }> {
  const scratch = scratchFolder();
  const around = join(scratch, 'around');
  const place = await plannedWorkspace(scratch, join(around, 'root'));
  const twin = join(scratch, 'twin');
  execFileSync('cp', ['-a', around, twin]);
  return { ...place, around, twin };
}

describe('a folder that is replaced by a link while a plan is applied', () => {
  test('between the check of the place and the first change: the folder that was open counts', async () => {
    const { around, twin, ...place } = await besideTwin();
    const before = walk(twin);
    const permit = async (real: string): Promise<void> => {
      await refuseOutside({ roots: [dirname(real)] }, real, real);
      renameSync(around, join(place.scratch, 'former'));
      symlinkSync(twin, around);
    };
    expect(await failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place), permit }))).toBe(
      `PlanPreconditionFailed: ${place.root} was renamed to ${place.scratch}/former/root meanwhile.`,
    );
    expect(walk(twin)).toEqual(before);
  });

  test('what leads out of the allowed folders when it is open is refused', async () => {
    const { around, twin, ...place } = await besideTwin();
    const site = siteOf(place);
    const permit = (real: string): Promise<void> => refuseOutside({ roots: [around] }, real, place.root);
    // it was looked at before, and is elsewhere now
    renameSync(around, join(place.scratch, 'former'));
    mkdirSync(around);
    symlinkSync(join(twin, 'root'), place.root);
    const before = walk(twin);
    expect(await failureOf(applyWorkspacePlan(place.bytes, { ...site, permit }))).toMatch(
      /^NotAllowedHere: .* is not below a folder/,
    );
    expect(walk(twin)).toEqual(before);
  });

  test('a folder above the workspace, during a clone', async () => {
    const { around, twin, ...place } = await besideTwin();
    const path = gitThatFirst(
      place.scratch,
      `case "$*" in "read-tree --reset"*) [ -L '${around}' ] || { mv '${around}' '${place.scratch}/former'; ln -s '${twin}' '${around}'; };; esac`,
    );
    const before = walk(twin);
    const failure = await failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place, path), parallel: 1 }));
    expect(failure).toContain(`${place.root} was renamed to ${place.scratch}/former/root meanwhile.`);
    expect(walk(twin)).toEqual(before);
  });

  test.each(['.graft/aside', '.graft'])('%s, before a clone is made in it', async (name) => {
    const place = await plannedWorkspace(scratchFolder());
    const [outside, folder] = [join(place.scratch, 'outside'), join(place.root, name)];
    const inside = name === '.graft' ? join(outside, 'aside', place.plan.id) : join(outside, place.plan.id);
    mkdirSync(inside, { recursive: true });
    const site = siteOf(place);
    const openMgit: PlanSite['openMgit'] = (owner) => {
      const mgit = site.openMgit(owner);
      // the last question before a clone
      const heads: typeof mgit.heads = (...asked) => {
        if (!lstatSync(folder).isSymbolicLink()) {
          renameSync(folder, join(place.scratch, 'former'));
          symlinkSync(outside, folder);
        }
        return mgit.heads(...asked);
      };
      return { ...mgit, heads };
    };
    const failure = await failureOf(applyWorkspacePlan(place.bytes, { ...site, openMgit, parallel: 1 }));
    expect(failure).toContain('is a link or a file, or leads through one.');
    expect(readdirSync(outside, { recursive: true }).length).toBe(name === '.graft' ? 2 : 1);
    expect(existsSync(join(place.root, 'libs'))).toBe(false);
  });

  test('.graft, at any moment at which the workspace is held or left', async () => {
    const scratch = scratchFolder();
    const [root, outside] = [join(scratch, 'root'), join(scratch, 'outside')];
    mkdirSync(join(root, '.graft'), { recursive: true });
    mkdirSync(outside);
    symlinkSync(outside, join(root, 'link'));
    const before = statSync(outside, { bigint: true }).mtimeNs;
    // renameat2 with RENAME_EXCHANGE: the two have each other's name, again and again
    const call = process.arch === 'arm64' ? 276 : 316;
    const program =
      `chdir shift; my ($one, $other) = (".graft", "link"); $| = 1;` +
      ` while (syscall(${call}, -100, $one, -100, $other, 2) == 0) { print "swapped\\n" if !$count++; }`;
    const swapping = spawn('perl', ['-e', program, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(swapping.stdout, 'data');
    onTestFinished(async () => {
      swapping.kill('SIGKILL');
      if (swapping.exitCode === null && swapping.signalCode === null) await once(swapping, 'exit');
    });
    let held = 0;
    for (let at = 0; at < 300; at++) {
      try {
        const workspace = await holdWorkspace(root, { dataDir: join(scratch, 'data') });
        held++;
        await workspace.leave('undone');
      } catch (error) {
        if (!(error instanceof LonghaulError)) throw error;
      }
    }
    expect(swapping.exitCode).toBe(null);
    expect(held).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual([]);
    expect(statSync(outside, { bigint: true }).mtimeNs).toBe(before);
  });
});

describe('a workspace that was deleted, and another one at the same place', () => {
  /** Applies the plan until one operation is left, in a process that then stops. */
  async function interrupted(place: PlannedWorkspace): Promise<void> {
    const stop = new AbortController();
    const onProgress = ({ done }: PlanProgress): void => {
      if (done === 2) stop.abort(new Error('the worker stops'));
    };
    const site = { ...siteOf(place), parallel: 1, signal: stop.signal, onProgress };
    await expect(applyWorkspacePlan(place.bytes, site)).rejects.toThrow('the worker stops');
  }

  test('does not inherit the plan that was in progress', async () => {
    const place = await plannedWorkspace(scratchFolder());
    await interrupted(place);
    rmSync(place.root, { recursive: true });
    mkdirSync(place.root);
    git(place.root, 'clone', '--quiet', place.origin('old'), 'old');
    const base = walk(place.root);
    expect(await undoWorkspacePlan(siteOf(place), place.plan.id)).toEqual({
      plan: null,
      outcome: 'undone',
      left: [],
    });
    expect(walk(place.root)).toEqual(base);
    const other = changedPlan(place, { action: 'repair' });
    expect(await applyWorkspacePlan(other.bytes, siteOf(place))).toMatchObject({ outcome: 'committed' });
  });

  test('does not inherit that .graft was there: it leaves no trace', async () => {
    const place = await plannedWorkspace(scratchFolder());
    await applyWorkspacePlan(place.bytes, siteOf(place));
    rmSync(place.root, { recursive: true });
    mkdirSync(place.root);
    git(place.root, 'clone', '--quiet', place.origin('old'), 'old');
    const base = walk(place.root);
    rmSync(place.origin('web'), { recursive: true });
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toMatch(/^RepositoryNotFound: /);
    expect(walk(place.root)).toEqual(base);
  });

  test('is another one also where the system has used the inode again', () => {
    const one = { inode: '7', born: '1000' };
    expect(isSameFolder(one, { ...one })).toBe(true);
    expect(isSameFolder(one, { ...one, born: '1001' })).toBe(false);
    expect(isSameFolder(one, { ...one, inode: '8' })).toBe(false);
    // a file system that does not say when
    expect(isSameFolder(one, { ...one, born: null })).toBe(true);
  });
});
