import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { createGit } from '../../../activities/git/git.ts';
import { scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { planFor, planPlace, siteOf } from '../../support/workspace/plan-site.ts';
import { committedRepository, packageJson } from '../../support/workspace/run-workspace.ts';

test('a link that a new clone declares itself is no drift, and the same plan again does nothing', async () => {
  const place = planPlace(scratchFolder());
  const origin = (name: string): string => join(place.scratch, 'origins', name);
  committedRepository(origin('core'), { 'package.json': packageJson('core', '1.0.0') });
  committedRepository(origin('web'), { 'package.json': packageJson('web', '1.0.0', { core: 'file:../core' }) });
  const to = ['repositories:', ...['core', 'web'].map((name) => `  - { name: ${name}, origin: "${origin(name)}" }`)];
  const { bytes } = await planFor(place, to.slice(0, 2).join('\n'), to.join('\n'));
  const first = await applyWorkspacePlan(bytes, siteOf(place));
  const { snapshot } = await readWorkspace(place.root, {
    git: createGit(siteOf(place).cacheDir, SCRATCH_ENV),
    env: SCRATCH_ENV,
  });
  expect(snapshot.links.map(({ repo, dep }) => `${repo}/${dep}`)).toEqual(['web/core']);
  const nothing = { added: [], removed: [], changed: [] };
  expect(first).toMatchObject({ outcome: 'committed', drift: nothing });
  expect(await applyWorkspacePlan(bytes, siteOf(place))).toMatchObject({ outcome: 'unchanged', drift: nothing });
});
