import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { copyOf, inOtherProcess, killAndFinish } from '../../support/workspace/killed-plan.ts';
import { type LinkedWorkspace, linkedWorkspace } from '../../support/workspace/linked-workspace.ts';
import { planFor, siteOf, walk } from '../../support/workspace/plan-site.ts';

/** A workspace in which one link is there, in files of three tools, and a plan makes another one and removes the first. */
async function relinked(scratch: string): Promise<LinkedWorkspace> {
  const place = await linkedWorkspace(scratch);
  await applyWorkspacePlan(place.bytes, siteOf(place));
  const { manifest } = place;
  const both = manifest([
    ['api', 'core'],
    ['web', 'core'],
  ]);
  const first = manifest([['api', 'core']]);
  const off = await planFor(place, both, first);
  await applyWorkspacePlan(off.bytes, siteOf(place));
  return { ...place, ...(await planFor(place, first, manifest([['web', 'core']]))) };
}

// every call that changes the disk, before and after it: what follows is known only from the disk and the journal
test(
  'a plan that changes links, whose process is killed at any change of the disk, is finished or undone by another one',
  { timeout: 1_800_000 },
  async () => {
    const template = await relinked(scratchFolder());
    const undisturbed = copyOf(template);
    const { output } = await inOtherProcess(undisturbed, 'apply', { doom: null });
    const after = walk(undisturbed.root);
    expect(readFileSync(join(undisturbed.root, 'go.work'), 'utf8')).toMatch(/"\.\/core"\n\t"\.\/web"/);
    const { calls } = JSON.parse(output) as { readonly calls: number };
    expect(calls).toBeGreaterThan(20);
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const isApplied = (call % 2 === 0) === (when === 'before');
        const ends = process.env['FULL_SWEEP']
          ? (['apply', 'undo'] as const)
          : ([isApplied ? 'apply' : 'undo'] as const);
        for (const then of ends) {
          await killAndFinish(template, { call, when }, then, ({ root }, what) =>
            expect(walk(root), what).toEqual(after),
          );
        }
      }
    }
  },
);
