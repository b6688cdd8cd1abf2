import { expect, test } from 'vitest';
import { scratchFolder } from '../../support/scratch-git.ts';
import { checkApplied, copyOf, inOtherProcess, killAndFinish } from '../../support/workspace/killed-plan.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';

// every entry of the journal but those about gits, before and after it is on the disk: what comes next is what the first process announced
test(
  'a plan whose process is killed at any entry of its journal is finished or undone by another one',
  { timeout: 1_800_000 },
  async () => {
    const template = await plannedWorkspace(scratchFolder());
    const undisturbed = copyOf(template);
    const { output } = await inOtherProcess(undisturbed, 'apply', { doom: null });
    checkApplied(undisturbed);
    const { entries } = JSON.parse(output) as { readonly entries: number };
    expect(entries).toBeGreaterThan(10);
    for (let entry = 1; entry <= entries; entry++) {
      for (const when of ['before', 'after'] as const) {
        // both ends at every entry: one before it is on the disk, the other one after that
        const isApplied = (entry % 2 === 0) === (when === 'before');
        const ends = process.env['FULL_SWEEP']
          ? (['apply', 'undo'] as const)
          : ([isApplied ? 'apply' : 'undo'] as const);
        for (const then of ends) await killAndFinish(template, { entry, when }, then, checkApplied);
      }
    }
  },
);
