import { expect, test } from 'vitest';
import { scratchFolder } from '../../support/scratch-git.ts';
import { checkApplied, copyOf, inOtherProcess, killAndFinish } from '../../support/workspace/killed-plan.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';

// every entry of the journal, before and after it is on the disk: what comes next is what the first process announced
test('a plan whose process is killed at any entry of its journal is finished or undone by another one', async () => {
  const template = await plannedWorkspace(scratchFolder());
  const undisturbed = copyOf(template);
  const { output } = await inOtherProcess(undisturbed, 'apply', { doom: null });
  checkApplied(undisturbed);
  const { entries } = JSON.parse(output) as { readonly entries: number };
  expect(entries).toBeGreaterThan(10);
  for (let entry = 1; entry <= entries; entry++) {
    for (const when of ['before', 'after'] as const) {
      for (const then of ['apply', 'undo'] as const) await killAndFinish(template, { entry, when }, then);
    }
  }
});
