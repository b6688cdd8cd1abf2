import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { planRepair, type RepairRequest } from '../../../activities/workspace/repair/plan-repair.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { siteOf } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';

/** A workspace that has what a plan makes, `libs/core` and `web`, and a manifest that asks for these. */
async function applied(...names: readonly string[]) {
  const scratch = scratchFolder();
  const planned = await plannedWorkspace(scratch);
  const site = siteOf(planned);
  await applyWorkspacePlan(planned.bytes, site);
  const entries: Readonly<Record<string, string>> = {
    core: `{ name: core, path: libs/core, origin: "${planned.origin('core')}", branch: topic }`,
    old: `{ name: old, origin: "${planned.origin('old')}" }`,
  };
  const lines = names.map((name) => `  - ${entries[name]}\n`);
  writeFileSync(join(planned.root, 'longhaul.workspace.yaml'), `repositories:\n${lines.join('')}`);
  return {
    ...planned,
    plan: (request: Partial<RepairRequest>) =>
      planRepair(planned.root, { left: [], agreed: [], plan: null, ...request }, site),
  };
}

test('what no manifest has asked for is asked about by its name, also without work', async () => {
  const { plan, root } = await applied('core');
  expect(await plan({})).toMatchObject({
    questions: [{ name: 'web', path: 'web', work: [expect.stringContaining('has attached it') as string] }],
  });
  const agreed = await plan({ agreed: ['web'] });
  expect(agreed).toMatchObject({ questions: [], steps: ['web leaves'] });
  writeFileSync(join(root, 'web', 'new'), 'mine\n');
  expect((await plan({ agreed: ['web'] })).questions).toMatchObject([{ name: 'web', path: 'web' }]);
});

test('what a plan has made is not taken back, where the workspace was made by it', async () => {
  const { plan, bytes, root } = await applied('old');
  expect(existsSync(join(root, 'old'))).toBe(false);
  expect(await plan({ plan: bytes })).toEqual({ bytes: null, steps: [], questions: [] });
  const { questions, steps } = await plan({});
  expect([questions.map(({ name }) => name), steps.toSorted()[2]]).toEqual([['core', 'web'], 'web leaves']);
});
