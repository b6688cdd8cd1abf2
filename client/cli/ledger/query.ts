import { queryLedger } from '../../../activities/ledger/query.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { readersLogin } from '../../core/ledger.ts';
import { toCsv, toObjects, toTable } from './query-output.ts';

/** Options of `longhaul db query`. */
export interface QueryOptions {
  /** Id of a repository. @default that of the working folder */
  readonly repo?: string;
  /** All repositories. @default false */
  readonly all?: boolean;
  /** Print an array of objects. @default false */
  readonly json?: boolean;
  /** Print CSV. @default false */
  readonly csv?: boolean;
}

/**
 * `longhaul db query`: prints the rows of a query about the repository of the folder, `--repo`, or all of them. Returns
 * 0. Throws `InvalidInput`, `InvalidConfiguration`, `QueryStopped`, `ServerUnavailable`, `AuthenticationFailed`,
 * `LedgerOutdated`.
 */
export async function query(context: CliContext, text: string, options: QueryOptions): Promise<number> {
  const url = await readersLogin(context);
  if (options.repo !== undefined && !isRepositoryId(options.repo)) {
    throw new LonghaulError('InvalidInput', `--repo ${NOT_A_REPOSITORY_ID}.`);
  }
  const repository = options.all ? null : (options.repo ?? (await repositoryOfFolder(context)));
  const result = await queryLedger(url, text, { repository });
  if (options.json) context.stdout.write(`${JSON.stringify(toObjects(result), null, 2)}\n`);
  else context.stdout.write(options.csv ? toCsv(result) : `${await toTable(result)}\n`);
  return 0;
}
