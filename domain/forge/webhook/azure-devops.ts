import { changed, ignored, listAt, moved, pushed, textAt, type WebhookAction, type WebhookPlace } from './action.ts';

const UNNAMED =
  "it names no repository of this provider: check the provider's url, and let the service hook send all resource details";

/** Maps a service hook of Azure DevOps to an action. The event is in the payload. */
export function azureDevopsAction(payload: unknown, place: WebhookPlace): WebhookAction {
  const name = nameIn(payload, place);
  switch (textAt(payload, 'eventType')) {
    case 'git.push': {
      const main = textAt(payload, 'resource', 'repository', 'defaultBranch')?.replace(/^refs\/heads\//, '') ?? null;
      const moves = listAt(payload, 'resource', 'refUpdates').map((update) => ({
        ref: textAt(update, 'name'),
        commit: textAt(update, 'newObjectId'),
        before: textAt(update, 'oldObjectId'),
      }));
      return pushed(moves, main, name, UNNAMED);
    }
    case 'git.repo.created':
    case 'git.repo.forked':
      return changed('appeared', name, UNNAMED);
    case 'git.repo.deleted':
      return changed('deleted', name, UNNAMED);
    case 'git.repo.renamed': {
      const from = textAt(payload, 'resource', 'oldName');
      return moved(from === null || name === null ? null : [...name.slice(0, -1), from], name);
    }
    // enabled or disabled
    case 'git.repo.statuschanged':
      return changed('hidden', name, UNNAMED);
    default:
      return ignored('other-event');
  }
}

/** Organization, project and repository. The organization appears only in addresses. */
function nameIn(payload: unknown, place: WebhookPlace): readonly string[] | null {
  const project = textAt(payload, 'resource', 'repository', 'project', 'name');
  const repository = textAt(payload, 'resource', 'repository', 'name');
  const addresses = [
    textAt(payload, 'resource', 'repository', 'remoteUrl'),
    textAt(payload, 'resource', 'repository', 'url'),
    textAt(payload, 'resourceContainers', 'collection', 'baseUrl'),
  ].flatMap((address) => URL.parse(address ?? '') ?? []);
  const [organization] = addresses.flatMap((address) => organizationIn(address, place) ?? []);
  return organization === undefined || project === null || repository === null
    ? null
    : [organization, project, repository];
}

/**
 * The organization or collection in an address: the segment below the provider's own `url`, or a configured one
 * anywhere in it, because a server may know itself by another host name than its users do.
 */
function organizationIn(address: URL, { url, organizations }: WebhookPlace): string | null {
  const configured = (name: string): string | undefined => organizations.find((known) => isSame(known, name));
  const segments = segmentsOf(address);
  const base = URL.parse(url ?? '');
  const isOurs = base !== null && isSame(address.hostname, base.hostname);
  const prefix = base === null ? [] : segmentsOf(base);
  if (isOurs && prefix.every((segment, at) => isSame(segment, segments[at] ?? ''))) {
    const found = segments[prefix.length];
    return found === undefined ? null : (configured(found) ?? found);
  }
  // the former addresses of dev.azure.com
  const former = /^([^.]+)\.visualstudio\.com$/i.exec(address.hostname)?.[1];
  if (former !== undefined) return configured(former) ?? former;
  return segments.flatMap((segment) => configured(segment) ?? [])[0] ?? null;
}

function segmentsOf({ pathname }: URL): string[] {
  return pathname.split('/').flatMap((segment) => {
    if (segment === '') return [];
    try {
      return [decodeURIComponent(segment)];
    } catch {
      return [segment];
    }
  });
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
