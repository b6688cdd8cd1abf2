import { changed, ignored, listAt, moved, nameOfPath, pushed, textAt, type WebhookAction } from './action.ts';

/**
 * Maps a message of GitLab to an action: pushes of project or group hooks, and project events of group and system
 * hooks. The groups below the top one are the project of an id, joined with colons.
 */
export function gitlabAction(payload: unknown): WebhookAction {
  const name = nameIn(payload, 'path_with_namespace');
  switch (textAt(payload, 'event_name') ?? textAt(payload, 'object_kind')) {
    case 'push':
      return pushed(
        [{ ref: textAt(payload, 'ref'), commit: textAt(payload, 'after'), before: textAt(payload, 'before') }],
        textAt(payload, 'project', 'default_branch'),
        projectIn(payload),
      );
    // of system hooks: one message for a push, whatever it moved
    case 'repository_update': {
      const changes = listAt(payload, 'changes');
      const moves = listAt(payload, 'refs').map((ref) => {
        const change = changes.find((each) => textAt(each, 'ref') === ref);
        const oids = { commit: textAt(change, 'after'), before: textAt(change, 'before') };
        return { ref: typeof ref === 'string' ? ref : null, ...oids };
      });
      return pushed(moves, textAt(payload, 'project', 'default_branch'), projectIn(payload));
    }
    case 'group_rename':
      return moved(groupIn(payload, 'old_full_path'), groupIn(payload, 'full_path'));
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
      return ignored('other-event');
  }
}

function projectIn(payload: unknown): readonly string[] | null {
  return nameIn(payload, 'project', 'path_with_namespace');
}

/** Every project of a group, by the group at the top: names below it have no pattern of their own. */
function groupIn(payload: unknown, key: string): readonly string[] | null {
  const top = textAt(payload, key)?.split('/', 1)[0];
  return top ? [top, '*'] : null;
}

function nameIn(payload: unknown, ...path: readonly string[]): readonly string[] | null {
  const segments = nameOfPath(textAt(payload, ...path));
  if (segments === null) return null;
  const [organization = '', ...rest] = segments;
  const groups = rest.slice(0, -1);
  return [organization, ...(groups.length > 0 ? [groups.join(':')] : []), ...rest.slice(-1)];
}
