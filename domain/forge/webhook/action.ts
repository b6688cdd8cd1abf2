import type { RepositoryEvent } from '../repository-event.ts';

/** A change of one repository, as a forge reports it. */
export interface RepositoryChange extends Pick<RepositoryEvent, 'kind'> {
  /** The repository within the forge: organization, perhaps a project, repository. */
  readonly name: readonly string[];
  /** For `moved`: its former name. */
  readonly from?: readonly string[];
  /** For `pushed`: the branches that moved, unless the default branch is among them. */
  readonly branches?: readonly string[];
  /** For `pushed`: the new heads of the branches that moved, where the message has them. */
  readonly heads?: readonly PushedHead[];
}

/** The new head of a branch. */
export interface PushedHead {
  readonly branch: string;
  /** Full oid. */
  readonly commit: string;
  /** Where it was before, a full oid; missing for a new branch, and where the message does not say it. */
  readonly before?: string;
}

/** A branch of a repository that a forge says to have been pushed. */
export interface Push extends PushedHead {
  /** Id of the repository. */
  readonly repository: string;
}

/** What a message says about a ref that moved. */
export interface MovedRef {
  /** Its full name; null when the message does not say it. */
  readonly ref: string | null;
  /** The oid to which it moved; null when the message does not say it. */
  readonly commit: string | null;
  /** The oid from which it moved; null when the message does not say it. */
  readonly before: string | null;
}

/** Why a message requires no action, by the label that counts it in the metrics (docs/observability.md). */
export const IGNORED_REASONS = {
  'other-event': 'not an event that moves a repository or its HEAD',
  'no-effect': 'does not affect the index',
  'no-branch': 'not a push to a branch',
  'not-indexed': 'no repository or branch that is indexed',
} as const;

/** A reason to ignore a message: a key of {@link IGNORED_REASONS}. */
export type IgnoredReason = keyof typeof IGNORED_REASONS;

/** The provider that a message comes from, where the forge's messages alone do not name a repository. */
export interface WebhookPlace {
  /** Base of the provider's web site, as configured; null when it has none. */
  readonly url: string | null;
  /** Its configured organizations, as their ids spell them; empty when it has no such setting. */
  readonly organizations: readonly string[];
}

/** The action that a webhook requires on the index. */
export type WebhookAction =
  | { readonly do: 'follow'; readonly changes: readonly RepositoryChange[] }
  /** The message means nothing to the index. */
  | { readonly do: 'ignore'; readonly why: IgnoredReason }
  /** It reports a change, but what changed cannot be read; `why` says what is missing. */
  | { readonly do: 'refuse'; readonly why: string };

/** No action. */
export function ignored(why: IgnoredReason): WebhookAction {
  return { do: 'ignore', why };
}

/** A change of an unknown repository. It must not be acknowledged: the change would be lost without a trace. */
function refused(why: string): WebhookAction {
  return { do: 'refuse', why };
}

/** One repository changed; refused when the message does not name it. */
export function changed(
  kind: RepositoryEvent['kind'],
  name: readonly string[] | null,
  unnamed = 'it names no repository',
): WebhookAction {
  return name === null ? refused(unnamed) : { do: 'follow', changes: [{ kind, name }] };
}

/** One repository was renamed; refused when the message does not contain both names. */
export function moved(from: readonly string[] | null, name: readonly string[] | null): WebhookAction {
  if (name === null || from === null) return refused('it does not contain the old and the new name');
  return { do: 'follow', changes: [{ kind: 'moved', name, from }] };
}

/**
 * A push to the default branch (`main`), or to any branch when the default is unknown. A push to other branches lists
 * them: it matters where they are indexed. A push that does not say what moved (null, or a name that is no ref) may
 * have moved anything.
 */
export function pushed(
  moves: readonly MovedRef[],
  main: string | null,
  name: readonly string[] | null,
  unnamed?: string,
): WebhookAction {
  const refs = moves.map(({ ref }) => ref);
  const isUnclear = refs.length === 0 || refs.some((ref) => !ref?.startsWith('refs/'));
  const branches = refs.flatMap((ref) => (ref?.startsWith(HEADS) ? [ref.slice(HEADS.length)] : []));
  if (branches.length === 0 && !isUnclear) return ignored('no-branch');
  if (name === null) return changed('pushed', name, unnamed);
  const found = moves.flatMap(({ ref, commit, before }): PushedHead[] =>
    ref?.startsWith(HEADS) && isCommit(commit)
      ? [{ branch: ref.slice(HEADS.length), commit, ...(isCommit(before) ? { before } : {}) }]
      : [],
  );
  const heads = found.length === 0 ? {} : { heads: found };
  if (isUnclear || main === null || branches.includes(main)) {
    return { do: 'follow', changes: [{ kind: 'pushed', name, ...heads }] };
  }
  return { do: 'follow', changes: [{ kind: 'pushed', name, branches, ...heads }] };
}

/** False for a branch that was deleted: its oid is zero. */
function isCommit(oid: string | null): oid is string {
  return oid !== null && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(oid) && !/^0+$/.test(oid);
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
