import type { ProviderConfig } from '../../domain/config.schema.ts';
import type { Mgit } from './mgit.ts';
export { diffLines } from './diff-lines.ts';
export type { Differential } from './differential.ts';
export type { Mgit } from './mgit.ts';
/** How mgit is set up. */
export interface MgitOptions {
    readonly providers: readonly ProviderConfig[];
    /** Absolute path of the folder for mirrors and the like; it may be deleted at any time nothing runs. */
    readonly cacheDir: string;
    /** Where tokens come from. Default: the environment of the process. */
    readonly env?: NodeJS.ProcessEnv;
    /** Larger files are skipped. */
    readonly maxFileBytes: number;
}
/** Opens mgit. Nothing is touched before it is used. */
export declare function createMgit(options: MgitOptions): Mgit;
