import type { Head } from '../../domain/catalog/plan.ts';
import type { Git, ObjectFormat } from './git.ts';
import type { Access, Source } from './source.ts';
/** Where HEAD is. Throws `RepositoryNotFound`, `AuthenticationFailed`, `GitFailed`. */
export declare function resolveHead(git: Git, access: Access): Promise<Head>;
/**
 * Opens the objects of a repository. One on this machine is read in its place, with none of its configuration, so there is
 * nothing to fetch; of one elsewhere the cache keeps a mirror.
 */
export declare function openSource(git: Git, cacheDir: string, access: Access, format: ObjectFormat): Promise<Source>;
/** Works with a repository's objects; when a mirror turns out to be damaged, makes it again and tries once more. */
export declare function withSource<Result>(git: Git, cacheDir: string, access: Access, format: ObjectFormat, work: (source: Source) => Promise<Result>): Promise<Result>;
