import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { git, initRepository } from '../scratch-git.ts';
import { type MadePlan, planFor, type PlanPlace, planPlace } from './plan-site.ts';
import { packageJson } from './run-workspace.ts';

/** The files of repositories in which `api` needs a package that `core` has, and `web` one that both have. */
export const LINKABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  core: {
    'go.mod': 'module example.com/core\n\ngo 1.22\n',
    'core.go': 'package core\n\nconst Name = "sibling"\n',
    'Cargo.toml': '[package]\nname = "core-crate"\nversion = "1.2.0"\nedition = "2021"\n',
    'src/lib.rs': 'pub const NAME: &str = "sibling";\n',
    'package.json': packageJson('core', '1.2.0'),
    'pyproject.toml': '[project]\nname = "core-lib"\nversion = "1.2.0"\n',
  },
  api: {
    'go.mod': 'module example.com/api\n\ngo 1.21\n\nrequire example.com/core v1.0.0\n',
    'api.go': 'package api\n\nimport "example.com/core"\n\nconst Name = core.Name\n',
    'Cargo.toml':
      '[package]\nname = "api-crate"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ncore-crate = "1"\n',
    'src/lib.rs': 'pub use core_crate::NAME;\n',
    'package.json': packageJson('api', '1.0.0', { core: '^1.0.0' }),
    'pyproject.toml':
      '[project]\nname = "api-lib"\nversion = "0.1.0"\nrequires-python = ">=3.8"\ndependencies = ["core-lib>=1"]\n',
  },
  web: {
    'go.mod': 'module example.com/web\n\ngo 1.21\n\nrequire example.com/core v1.0.0\n',
    'web.go': 'package web\n\nimport "example.com/core"\n\nconst Name = core.Name\n',
  },
};

/** A repository with these files in one commit. */
export function repositoryWith(path: string, files: Readonly<Record<string, string>>): string {
  initRepository(path);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  git(path, 'add', '--all');
  git(path, 'commit', '--quiet', '--message', 'first');
  return path;
}

/** A workspace in which a plan links repositories. */
export interface LinkedWorkspace extends PlanPlace, MadePlan {
  /** The manifest of the workspace with these links. */
  readonly manifest: (links: readonly (readonly [from: string, to: string])[]) => string;
}

/** A workspace with `core` that is there, and a plan that clones `api` and `web` and links both to `core`. */
export async function linkedWorkspace(
  scratch: string,
  files: Readonly<Record<string, Readonly<Record<string, string>>>> = LINKABLE,
): Promise<LinkedWorkspace> {
  const place = planPlace(scratch);
  const names = Object.keys(files);
  for (const name of names) repositoryWith(join(scratch, 'origins', name), files[name] ?? {});
  git(place.root, 'clone', '--quiet', join(scratch, 'origins', 'core'), 'core');
  const manifest: LinkedWorkspace['manifest'] = (links) =>
    [
      'repositories:',
      ...names.map((name) => `  - { name: ${name}, origin: "${join(scratch, 'origins', name)}" }`),
      `links: [${links.map(([from, to]) => `{ from: ${from}, to: ${to} }`).join(', ')}]`,
      '',
    ].join('\n');
  const core = `repositories: [{ name: core, origin: "${join(scratch, 'origins', 'core')}" }]\n`;
  const linked = names.filter((name) => name !== 'core').map((name) => [name, 'core'] as const);
  const made = await planFor(place, core, manifest(linked));
  return { ...place, ...made, manifest };
}
