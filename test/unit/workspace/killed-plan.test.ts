import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { undoWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { identify, isRunning } from '../../../platform/process-identity.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { inOtherProcess } from '../../support/workspace/killed-plan.ts';
import { gitThatFirst, siteOf, walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';

test('a git that outlives its killed process is ended before anything is touched', async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch);
  const base = walk(place.root);
  const pids = join(scratch, 'pids');
  // it would go on to write into the folder, and a child of it, too
  const path = gitThatFirst(
    scratch,
    `case "$*" in "read-tree --reset"*) sleep 600 & echo $$ $! > '${pids}.new'; mv '${pids}.new' '${pids}'; wait;; esac`,
  );
  const ended = inOtherProcess(place, 'apply', {
    doom: null,
    path,
    onStarted: (pid) => {
      const kill = async (): Promise<void> => {
        while (!existsSync(pids)) await delay(10);
        process.kill(pid, 'SIGKILL');
      };
      kill().catch(() => undefined);
    },
  });
  expect((await ended).killedBy).toBe('SIGKILL');
  const gits = readFileSync(pids, 'utf8').trim().split(' ').map(Number).map(identify);
  expect(gits.map((git) => git !== null && isRunning(git))).toEqual([true, true]);
  expect(await undoWorkspacePlan(siteOf(place), place.plan.id)).toEqual({
    plan: place.plan.id,
    outcome: 'undone',
    left: [],
  });
  expect(gits.map((git) => git !== null && isRunning(git))).toEqual([false, false]);
  expect(walk(place.root)).toEqual(base);
});
