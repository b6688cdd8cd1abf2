import type { RepositoryEvent } from '../repository-event.ts';

/** A change of one repository, as a forge reports it. */
export interface RepositoryChange extends Pick<RepositoryEvent, 'kind'> {
  /** The repository within the forge: organization, perhaps a project, repository. */
  readonly name: readonly string[];
  /** For `moved`: its former name. */
  readonly from?: readonly string[];
  /** For `pushed`: the branches that moved, unless the default branch is among them. */
  readonly branches?: readonly string[];
}

/** The action that a webhook requires on the index. */
export type WebhookAction =
  | { readonly do: 'follow'; readonly changes: readonly RepositoryChange[] }
  /** No action; `why` is a short reason. */
  | { readonly do: 'ignore'; readonly why: string };

/** No action. */
export function ignored(why: string): WebhookAction {
  return { do: 'ignore', why };
}

/** One repository changed; ignored when the message does not name it. */
export function changed(kind: RepositoryEvent['kind'], name: readonly string[] | null): WebhookAction {
  return name === null ? ignored('it names no repository') : { do: 'follow', changes: [{ kind, name }] };
}

/** One repository was renamed; ignored when the message does not contain both names. */
export function moved(from: readonly string[] | null, name: readonly string[] | null): WebhookAction {
  if (name === null || from === null) return ignored('it does not contain the old and the new name');
  return { do: 'follow', changes: [{ kind: 'moved', name, from }] };
}

/**
 * A push to the default branch (`main`), or to any branch when the default is unknown. A push to other branches lists
 * them: it matters where they are indexed.
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

/** The value at a path in untrusted JSON; undefined when there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

/** The string at a path; null when there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | null {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The list at a path; empty when there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** `acme/api` as organization and repository; null for anything else. */
export function nameOfPath(path: string | null): readonly string[] | null {
  const segments = path?.split('/') ?? [];
  return segments.length >= 2 && segments.every((segment) => segment !== '') ? segments : null;
}
