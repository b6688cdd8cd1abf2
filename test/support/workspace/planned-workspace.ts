import { join } from 'node:path';
import { git } from '../scratch-git.ts';
import { type MadePlan, planFor, type PlanPlace, planPlace } from './plan-site.ts';
import { committedRepository, packageJson } from './run-workspace.ts';

/** A workspace with the clone `old`, and a plan that takes it away and clones `libs/core` and `web`. */
export interface PlannedWorkspace extends PlanPlace, MadePlan {
  /** The path of a repository that clones come from. */
  readonly origin: (name: string) => string;
}

/** Makes {@link PlannedWorkspace} in a scratch folder, with the workspace in `root`. */
export async function plannedWorkspace(scratch: string, root?: string): Promise<PlannedWorkspace> {
  const place = planPlace(scratch, root);
  const origin = (name: string): string => join(scratch, 'origins', name);
  for (const name of ['old', 'core', 'web']) {
    committedRepository(origin(name), { 'package.json': packageJson(name, '1.0.0'), 'a b': `text of ${name}\n` });
    git(origin(name), 'branch', 'topic');
  }
  git(place.root, 'clone', '--quiet', origin('old'), 'old');
  const old = `  - { name: old, origin: "${origin('old')}" }`;
  const wanted = [
    'repositories:',
    `  - { name: core, path: libs/core, origin: "${origin('core')}", branch: topic }`,
    `  - { name: web, origin: "${origin('web')}", branch: new }`,
  ];
  const made = await planFor(place, [...wanted, old].join('\n'), wanted.join('\n'));
  return { ...place, ...made, origin };
}
