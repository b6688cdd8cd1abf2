import { changed, ignored, moved, nameOfPath, pushed, textAt, type WebhookAction } from './action.ts';

/**
 * What a message of GitLab means: a push of a project or group hook, and what group and system hooks say of projects.
 * A project in nested groups has a longer name than an id of Longhaul can have, and is left to `isRepositoryId`.
 */
export function gitlabAction(payload: unknown): WebhookAction {
  const name = nameOfPath(textAt(payload, 'path_with_namespace'));
  switch (textAt(payload, 'event_name') ?? textAt(payload, 'object_kind')) {
    case 'push':
      return pushed(
        textAt(payload, 'ref'),
        textAt(payload, 'project', 'default_branch'),
        nameOfPath(textAt(payload, 'project', 'path_with_namespace')),
      );
    case 'project_create':
      return changed('appeared', name);
    case 'project_rename':
    case 'project_transfer':
      return moved(nameOfPath(textAt(payload, 'old_path_with_namespace')), name);
    case 'project_destroy':
      return changed('deleted', name);
    // archived, unarchived or shown to others: it does not say which
    case 'project_update':
      return changed('hidden', name);
    default:
      return ignored('no event that moves a repository or its HEAD');
  }
}
