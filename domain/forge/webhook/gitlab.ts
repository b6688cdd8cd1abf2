import { changed, ignored, moved, nameOfPath, pushed, textAt, type WebhookAction } from './action.ts';

/**
 * Maps a message of GitLab to an action: pushes of project or group hooks, and project events of group and system
 * hooks. The groups below the top one are the project of an id, joined with colons.
 */
export function gitlabAction(payload: unknown): WebhookAction {
  const name = nameIn(payload, 'path_with_namespace');
  switch (textAt(payload, 'event_name') ?? textAt(payload, 'object_kind')) {
    case 'push':
      return pushed(
        [textAt(payload, 'ref')],
        textAt(payload, 'project', 'default_branch'),
        nameIn(payload, 'project', 'path_with_namespace'),
      );
    case 'project_create':
      return changed('appeared', name);
    case 'project_rename':
    case 'project_transfer':
      return moved(nameIn(payload, 'old_path_with_namespace'), name);
    case 'project_destroy':
      return changed('deleted', name);
    // archived, unarchived, new visibility or description: GitLab's payload does not say which
    case 'project_update':
      return changed('hidden', name);
    default:
      return ignored('not an event that moves a repository or its HEAD');
  }
}

function nameIn(payload: unknown, ...path: readonly string[]): readonly string[] | null {
  const segments = nameOfPath(textAt(payload, ...path));
  if (segments === null) return null;
  const [organization = '', ...rest] = segments;
  const groups = rest.slice(0, -1);
  return [organization, ...(groups.length > 0 ? [groups.join(':')] : []), ...rest.slice(-1)];
}
