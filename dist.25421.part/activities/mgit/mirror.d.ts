import { type Git, type ObjectFormat } from './git.ts';
import type { Source } from './source.ts';
/** What a mirror is made with. */
export interface MirrorOptions {
    readonly about: string;
    /** The lines of configuration that let git in, and where to. */
    readonly config: readonly (readonly [string, string])[];
    readonly signal?: AbortSignal | undefined;
}
/**
 * Opens the mirror of a repository that is elsewhere: its commits and trees, without its blobs, in a bare repository of the
 * cache. Blobs come when they are asked for, many at once. It is made when there is none, or when it is not whole; any host
 * can make it again.
 */
export declare function openMirror(git: Git, path: string, format: ObjectFormat, options: MirrorOptions): Promise<Source>;
/** Where the mirror of a repository is: its id as folders, so that two ids never share one. */
export declare function mirrorPath(cacheDir: string, id: string): string;
/** True when the objects of a mirror are wrong, not the way to the remote: making it again can help. */
export declare function isDamage(error: unknown): boolean;
