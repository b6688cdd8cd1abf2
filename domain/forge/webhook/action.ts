import type { RepositoryEvent } from '../repository-event.ts';

/** A change of one repository, as a forge tells it. */
export interface RepositoryChange extends Pick<RepositoryEvent, 'kind'> {
  /** The repository within the forge: organization, perhaps a project, repository. */
  readonly name: readonly string[];
  /** Of `moved`: the name that it had. */
  readonly from?: readonly string[];
  /** Of `pushed`: the branches that moved, when the one that HEAD names is not among them. */
  readonly branches?: readonly string[];
}

/** What a webhook means to the index. */
export type WebhookAction =
  | { readonly do: 'follow'; readonly changes: readonly RepositoryChange[] }
  /** Nothing; `why` in a few words. */
  | { readonly do: 'ignore'; readonly why: string };

/** Nothing is to be done. */
export function ignored(why: string): WebhookAction {
  return { do: 'ignore', why };
}

/** One repository changed; ignored when the message does not say which. */
export function changed(kind: RepositoryEvent['kind'], name: readonly string[] | null): WebhookAction {
  return name === null ? ignored('it names no repository') : { do: 'follow', changes: [{ kind, name }] };
}

/** One repository has another name now; ignored when the message does not say both. */
export function moved(from: readonly string[] | null, name: readonly string[] | null): WebhookAction {
  if (name === null || from === null) return ignored('it does not say what the name was and is');
  return { do: 'follow', changes: [{ kind: 'moved', name, from }] };
}

/**
 * A push counts when it is one to the branch that HEAD names, `main`, or when nobody says which that is. One to other branches
 * names them: it counts where they are indexed.
 */
export function pushed(
  refs: readonly (string | null)[],
  main: string | null,
  name: readonly string[] | null,
): WebhookAction {
  const branches = refs.flatMap((ref) => (ref?.startsWith(HEADS) ? [ref.slice(HEADS.length)] : []));
  if (branches.length === 0) return ignored('not a push to a branch');
  if (main === null || branches.includes(main)) return changed('pushed', name);
  return name === null ? changed('pushed', name) : { do: 'follow', changes: [{ kind: 'pushed', name, branches }] };
}

const HEADS = 'refs/heads/';

/** What is at a place in JSON that somebody else wrote; undefined where there is nothing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

/** The text at a place; null where there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | null {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The list at a place, empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** `acme/api` as organization and repository; null for anything without both. */
export function nameOfPath(path: string | null): readonly string[] | null {
  const segments = path?.split('/') ?? [];
  return segments.length >= 2 && segments.every((segment) => segment !== '') ? segments : null;
}
