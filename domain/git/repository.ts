/** A repository as discovery found it. Small and plain: it travels through workflow history. */
export interface Repository {
  /** `<provider>/<organization>[/<project>]/<repository>`: the identity everywhere in Longhaul. */
  readonly id: string;
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  readonly organization: string;
  /** The level between organization and repository, which only some forges have. */
  readonly project: string | null;
  readonly repository: string;
  /** Where git fetches from: an https, ssh or file URL, or an absolute path. Never with credentials in it. */
  readonly cloneUrl: string;
  /** The branch that HEAD names, as far as discovery knew; null when it did not say. */
  readonly defaultBranch: string | null;
  /**
   * What stays the same when the repository is renamed or transferred, unique within its provider: `github.com:12345`.
   * Missing where the provider has no such thing.
   */
  readonly uid?: string;
}

/** What one needs to fetch a repository: the part of a {@link Repository} that travels from flow to flow. */
export type RepositoryAddress = Pick<Repository, 'id' | 'cloneUrl' | 'uid'>;

/** Where a repository is that had a certain id. */
export type Whereabouts =
  | { readonly state: 'there'; readonly repository: Repository }
  /** It was renamed or transferred, and has another id now. */
  | { readonly state: 'moved'; readonly repository: Repository }
  /** Its provider says that there is none. `certain` when the provider has other repositories of that organization to show. */
  | { readonly state: 'gone'; readonly certain: boolean }
  /** No provider of that name is configured. */
  | { readonly state: 'no-provider' };

/** The name of the provider that an id begins with. */
export function providerOf(id: string): string {
  return id.slice(0, Math.max(id.indexOf('/'), 0));
}

/** The identity of a repository (`docs/architecture.md`): not its basename, so equal names in two places stay apart. */
export function repositoryId(
  provider: string,
  organization: string,
  project: string | null,
  repository: string,
): string {
  return [provider, organization, ...(project ? [project] : []), repository].join('/');
}

/** The id without its provider: `org/project/repo` or `org/repo`, as events and messages name a repository. */
export function repositoryName(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

/** Stands for a repository where objects of the index name none, or none that could be. */
export const NO_REPOSITORY = '(no repository)';

/** Why {@link isRepositoryId} said no. */
export const NOT_A_REPOSITORY_ID = 'must be a repository id: provider/org/repo or provider/org/project/repo';

/** True for `provider/org/repo` or `provider/org/project/repo` of plain segments: no empty one, no `..`, no control character. */
export function isRepositoryId(id: string): boolean {
  const segments = id.split('/');
  return segments.length >= 3 && segments.length <= 4 && id.length <= 300 && segments.every(isPlainSegment);
}

/** True for what may stand between two slashes of an id: not empty, no `..`, no control character, no backslash. */
export function isPlainSegment(segment: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not get in
  return segment !== '' && segment !== '.' && segment !== '..' && !/[\u0000-\u001f\u007f-\u009f\\]/.test(segment);
}
