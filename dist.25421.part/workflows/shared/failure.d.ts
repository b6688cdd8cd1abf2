import type { RepositoryFailure } from '../../domain/catalog/flows.ts';
/** The deepest cause of a failure, in one sentence, with the name that the operator finds in the documentation. */
export declare function failureOf(repository: string, error: unknown): RepositoryFailure;
