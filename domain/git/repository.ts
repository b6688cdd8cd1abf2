/** A repository as discovery found it. Small and plain: it is part of workflow histories. */
export interface Repository {
  /** `<provider>/<organization>[/<project>]/<repository>`: the identity everywhere in Longhaul. */
  readonly id: string;
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  readonly organization: string;
  /** The level between organization and repository that some forges have. */
  readonly project: string | null;
  readonly repository: string;
  /** Where git fetches from: an https, ssh or file URL, or an absolute path. Never contains credentials. */
  readonly cloneUrl: string;
  /** The default branch, as discovery reported it; null when unknown. */
  readonly defaultBranch: string | null;
  /**
   * Does not change when the repository is renamed or transferred, and is unique within its provider:
   * `github.com:12345`. Missing where the provider has no such id.
   */
  readonly uid?: string;
}

/** What is needed to fetch a repository: the part of a {@link Repository} that flows pass on. */
export type RepositoryAddress = Pick<Repository, 'id' | 'cloneUrl' | 'uid'>;

/** Where a repository with a known former id is now. */
export type Whereabouts =
  | { readonly state: 'there'; readonly repository: Repository }
  /** It was renamed or transferred and has a new id. */
  | { readonly state: 'moved'; readonly repository: Repository }
  /** Its provider does not have it. `certain` when the provider lists other repositories of that organization. */
  | { readonly state: 'gone'; readonly certain: boolean }
  /** No provider of that name is configured. */
  | { readonly state: 'no-provider' };

/** The provider name in an id. */
export function providerOf(id: string): string {
  return id.slice(0, Math.max(id.indexOf('/'), 0));
}

/**
 * The identity of a repository (`docs/architecture.md`). It is not the basename, so equal names in two places stay
 * distinct.
 */
export function repositoryId(
  provider: string,
  organization: string,
  project: string | null,
  repository: string,
): string {
  return [provider, organization, ...(project ? [project] : []), repository].join('/');
}

/** The id without its provider: `org/project/repo` or `org/repo`, as used in events and messages. */
export function repositoryName(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

/** Shown instead of a repository where objects of the index have none, or an invalid one. */
export const NO_REPOSITORY = '(no repository)';

/** The error message for {@link isRepositoryId}. */
export const NOT_A_REPOSITORY_ID = 'must be a repository id: provider/org/repo or provider/org/project/repo';

/** True for `provider/org/repo` or `provider/org/project/repo` with plain segments. */
export function isRepositoryId(id: string): boolean {
  const segments = id.split('/');
  return segments.length >= 3 && segments.length <= 4 && id.length <= 300 && segments.every(isPlainSegment);
}

/** True for a valid segment of an id: not empty, no `..`, no control character, no backslash. */
export function isPlainSegment(segment: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the point is to reject control characters
  return segment !== '' && segment !== '.' && segment !== '..' && !/[\u0000-\u001f\u007f-\u009f\\]/.test(segment);
}
