import type { PlanOperation } from '../../../domain/workspace/workspace-plan.ts';

/** A repository on the disk of the model. */
interface ModelRepo {
  readonly path: string;
  readonly at: string;
}

/** What plans change, without a disk. Operations are refused where a disk could not do them. */
export interface DiskModel {
  readonly repos: Map<string, ModelRepo>;
  readonly links: Set<string>;
}

/** A disk with these repositories. */
export function diskModel(
  repos: readonly { readonly name: string; readonly path: string; readonly at: string }[],
  links: readonly (readonly [string, string])[],
): DiskModel {
  return {
    repos: new Map(repos.map(({ name, path, at }) => [name, { path, at }])),
    links: new Set(links.map(([repo, dep]) => `${repo}/${dep}`)),
  };
}

/** Does an operation, from its type, target and parameters alone. Throws when the disk is not ready for it. */
export function applyToModel({ repos, links }: DiskModel, { type, target, params }: PlanOperation): void {
  const refuse = (why: string): never => {
    throw new Error(`${type} ${target}: ${why}`);
  };
  switch (type) {
    case 'attach_repo': {
      const [path, branch, commit] = [params['path'], params['branch'], params['commit']];
      if (typeof path !== 'string') return refuse('no path');
      const at = typeof branch === 'string' ? branch : typeof commit === 'string' ? commit : 'main';
      const there = repos.get(target);
      if (params['how'] === 'switch') {
        if (there?.path !== path) refuse('it is not there');
      } else {
        if (there !== undefined) refuse('it is there');
        for (const other of repos.values()) {
          if (`${other.path}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${other.path}/`))
            refuse('its folder is taken');
        }
      }
      repos.set(target, { path, at });
      return;
    }
    case 'detach_repo':
      if (repos.get(target)?.path !== params['path']) refuse('it is not there');
      for (const link of links) if (link.split('/').includes(target)) refuse(`there is the link ${link}`);
      repos.delete(target);
      return;
    case 'create_link':
      for (const end of target.split('/')) if (!repos.has(end)) refuse(`${end} is not there`);
      if (links.has(target)) refuse('it is there');
      links.add(target);
      return;
    case 'remove_link':
      if (!links.delete(target)) refuse('there is none');
      return;
    case 'run_command':
      if (repos.get(target)?.path !== params['cwd']) refuse('its folder is not there');
      return;
    case 'rewrite_file':
    case 'validate_repo':
      refuse('the model does not know it');
  }
}
