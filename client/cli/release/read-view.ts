import type { GenerationView } from '../../../domain/release/evolutions/describe.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { readersLogin } from '../../core/ledger.ts';

/** Options of commands that read the ledger about a repository. */
export interface ReadOptions {
  /** Print exactly one JSON value. */
  readonly json?: boolean;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** A generation of the ledger, by any form of its version; null when it does not have it. */
export async function readView(
  context: CliContext,
  repository: string,
  version: string,
): Promise<GenerationView | null> {
  const { readGeneration } = await import('../../../activities/release/evolutions/read-generation.ts');
  return readGeneration(await readersLogin(context), repository, version);
}

/** {@link readView} that fails with `InvalidInput` when the ledger does not have it. */
export async function readKnownView(context: CliContext, repository: string, version: string): Promise<GenerationView> {
  const view = await readView(context, repository, version);
  if (view !== null) return view;
  throw new LonghaulError(
    'InvalidInput',
    `The ledger has no generation ${version} of ${repository}: its first evolution adds it.`,
  );
}
