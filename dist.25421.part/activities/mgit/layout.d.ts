import type { Head } from '../../domain/catalog/plan.ts';
import type { ObjectFormat } from './git.ts';
/** Where a repository on this disk keeps things, as gitrepository-layout(5) says. */
export interface Layout {
    /** The folder with `HEAD`. */
    readonly gitDir: string;
    /** The folder with `objects`, `refs` and `config`: another than `gitDir` in a linked worktree. */
    readonly commonDir: string;
    /** What the file `HEAD` says. */
    readonly head: string;
}
/** Finds the repository at a path: bare, with a folder `.git`, or with a file `.git` that names one. Null when there is none. */
export declare function findLayout(path: string): Promise<Layout | null>;
/**
 * Where HEAD is, read from the files. Null when they are not as plain as that (another ref storage, a broken ref): git
 * itself must be asked then.
 */
export declare function readHead({ commonDir, head }: Layout): Promise<Head | null>;
/** The format of a repository's object names, from its configuration. */
export declare function readObjectFormat(commonDir: string): Promise<ObjectFormat>;
