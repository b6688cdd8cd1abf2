import { changed, ignored, listAt, moved, nameOfPath, pushed, textAt, type WebhookAction } from './action.ts';

/**
 * Maps an event of GitHub, or of a forge with the same format (Gitea, Forgejo), to an action. `event` is the header
 * `X-GitHub-Event`.
 */
export function githubAction(event: string, payload: unknown): WebhookAction {
  switch (event) {
    case 'push':
      return pushed(
        [{ ref: textAt(payload, 'ref'), commit: textAt(payload, 'after'), before: textAt(payload, 'before') }],
        textAt(payload, 'repository', 'default_branch'),
        nameIn(payload),
      );
    case 'repository':
      return repositoryAction(payload);
    case 'public':
      return changed('appeared', nameIn(payload));
    case 'organization':
      return organizationAction(payload);
    case 'installation':
      return textAt(payload, 'action') === 'created'
        ? changedAll('appeared', listAt(payload, 'repositories'))
        : ignored('other-event');
    case 'installation_repositories':
      return textAt(payload, 'action') === 'added'
        ? changedAll('appeared', listAt(payload, 'repositories_added'))
        : changedAll('hidden', listAt(payload, 'repositories_removed'));
    default:
      return ignored('other-event');
  }
}

function repositoryAction(payload: unknown): WebhookAction {
  const name = nameIn(payload);
  const [owner = '', repository = ''] = name ?? [];
  switch (textAt(payload, 'action')) {
    case 'created':
    case 'unarchived':
    case 'publicized':
      return changed('appeared', name);
    case 'renamed': {
      const from = textAt(payload, 'changes', 'repository', 'name', 'from');
      return moved(from === null ? null : [owner, from], name);
    }
    case 'transferred': {
      const from =
        textAt(payload, 'changes', 'owner', 'from', 'organization', 'login') ??
        textAt(payload, 'changes', 'owner', 'from', 'user', 'login');
      return moved(from === null ? null : [from, repository], name);
    }
    case 'archived':
      return changed('archived', name);
    case 'deleted':
      return changed('deleted', name);
    case 'privatized':
      return changed('hidden', name);
    case 'edited':
      return textAt(payload, 'changes', 'default_branch', 'from') === null
        ? ignored('no-effect')
        : changed('pushed', name);
    default:
      return ignored('no-effect');
  }
}

/** Renaming an organization moves all its repositories. */
function organizationAction(payload: unknown): WebhookAction {
  if (textAt(payload, 'action') !== 'renamed') return ignored('no-effect');
  const from = textAt(payload, 'changes', 'login', 'from');
  const login = textAt(payload, 'organization', 'login');
  return moved(from === null ? null : [from, '*'], login === null ? null : [login, '*']);
}

function changedAll(kind: 'appeared' | 'hidden', repositories: readonly unknown[]): WebhookAction {
  const names = repositories.map((repository) => nameOfPath(textAt(repository, 'full_name')));
  const changes = names.flatMap((name) => (name === null ? [] : [{ kind, name }]));
  if (names.length === 0) return ignored('no-effect');
  return changes.length === 0 ? changed(kind, null) : { do: 'follow', changes };
}

function nameIn(payload: unknown): readonly string[] | null {
  const owner = textAt(payload, 'repository', 'owner', 'login') ?? textAt(payload, 'repository', 'owner', 'name');
  const name = textAt(payload, 'repository', 'name');
  return owner === null || name === null ? null : [owner, name];
}
