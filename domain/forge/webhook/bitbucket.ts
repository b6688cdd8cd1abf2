import { changed, ignored, listAt, moved, nameOfPath, pushed, textAt, type WebhookAction } from './action.ts';

/** Maps an event of Bitbucket Cloud to an action; `event` is the header `X-Event-Key`. */
export function bitbucketAction(event: string, payload: unknown): WebhookAction {
  const name = nameOfPath(textAt(payload, 'repository', 'full_name'));
  switch (event) {
    case 'repo:push':
      return pushAction(payload, name);
    case 'repo:created':
    case 'repo:imported':
      return changed('appeared', name);
    case 'repo:updated': {
      const from = nameOfPath(textAt(payload, 'changes', 'full_name', 'old'));
      return from === null ? ignored('no-effect') : moved(from, name);
    }
    case 'repo:transfer': {
      const from = textAt(payload, 'previous_workspace', 'slug') ?? textAt(payload, 'previousWorkspace', 'slug');
      return from === null || name === null ? changed('appeared', name) : moved([from, ...name.slice(1)], name);
    }
    case 'repo:deleted':
      return changed('deleted', name);
    default:
      return ignored('other-event');
  }
}

/** Bitbucket names the main branch in some messages only. */
function pushAction(payload: unknown, name: readonly string[] | null): WebhookAction {
  const main = textAt(payload, 'repository', 'mainbranch', 'name');
  const moves = listAt(payload, 'push', 'changes').map((change) => {
    const side = textAt(change, 'new', 'name') === null ? 'old' : 'new';
    const ref = textAt(change, side, 'name');
    const oids = { commit: textAt(change, 'new', 'target', 'hash'), before: textAt(change, 'old', 'target', 'hash') };
    if (ref === null) return { ref, ...oids };
    return { ref: `refs/${textAt(change, side, 'type')?.includes('tag') ? 'tags' : 'heads'}/${ref}`, ...oids };
  });
  return pushed(moves, main, name);
}
