import type { RepositoryAddress } from '../../domain/catalog/repository.ts';
import type { Mgit } from './mgit.ts';
/**
 * The change stream of one repository since a commit (null: since nothing), one JSON object a line without its newline: a
 * line for every file, `new_changeset` last. Contents over 100,000 bytes are kept in the cache and named by `content_ref`.
 * Throws `InvalidInput` when the repository does not have the commit.
 */
export declare function diffLines(mgit: Pick<Mgit, 'diff' | 'snapshot' | 'spool'>, repository: RepositoryAddress, { since, signal }: {
    readonly since: string | null;
    readonly signal?: AbortSignal;
}): AsyncGenerator<string, void>;
