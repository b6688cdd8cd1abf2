import type { Snapshot } from '../../domain/catalog/receipt.ts';
import type { Git } from './git.ts';
import type { Access } from './source.ts';
/** The snapshot at a commit, whose name may be abbreviated. Throws `InvalidInput` when the repository does not have it. */
export declare function findSnapshot(git: Git, cacheDir: string, access: Access, commit: string): Promise<Snapshot>;
