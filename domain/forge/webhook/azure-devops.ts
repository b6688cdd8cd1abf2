import { changed, ignored, listAt, moved, pushed, textAt, type WebhookAction } from './action.ts';

/** Maps a service hook of Azure DevOps to an action. The event is in the payload. */
export function azureDevopsAction(payload: unknown): WebhookAction {
  const name = nameIn(payload);
  switch (textAt(payload, 'eventType')) {
    case 'git.push': {
      const main = textAt(payload, 'resource', 'repository', 'defaultBranch')?.replace(/^refs\/heads\//, '') ?? null;
      const refs = listAt(payload, 'resource', 'refUpdates').map((update) => textAt(update, 'name'));
      return pushed(refs, main, name);
    }
    case 'git.repo.created':
    case 'git.repo.forked':
      return changed('appeared', name);
    case 'git.repo.deleted':
      return changed('deleted', name);
    case 'git.repo.renamed': {
      const from = textAt(payload, 'resource', 'oldName');
      return moved(from === null || name === null ? null : [...name.slice(0, -1), from], name);
    }
    // enabled or disabled
    case 'git.repo.statuschanged':
      return changed('hidden', name);
    default:
      return ignored('not an event that moves a repository or its HEAD');
  }
}

/** Organization, project and repository. The organization appears only in addresses. */
function nameIn(payload: unknown): readonly string[] | null {
  const project = textAt(payload, 'resource', 'repository', 'project', 'name');
  const repository = textAt(payload, 'resource', 'repository', 'name');
  const address =
    textAt(payload, 'resource', 'repository', 'remoteUrl') ??
    textAt(payload, 'resource', 'repository', 'url') ??
    textAt(payload, 'resourceContainers', 'collection', 'baseUrl') ??
    '';
  const [, organization = null] =
    /^https:\/\/(?:[^/@]*@)?dev\.azure\.com\/([^/]+)/i.exec(address) ??
    /^https:\/\/(?:[^/@]*@)?([^./]+)\.visualstudio\.com(?:\/|$)/i.exec(address) ??
    [];
  return organization === null || project === null || repository === null ? null : [organization, project, repository];
}
