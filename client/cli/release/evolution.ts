import { randomUUID } from 'node:crypto';
import {
  describeEvolutions,
  describeRefusal,
  describeStart,
  type GenerationView,
} from '../../../domain/release/evolutions/describe.ts';
import type { EvolutionStart } from '../../../domain/release/evolutions/evolution.ts';
import { startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { readersLogin } from '../../core/ledger.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { personOf } from './run.ts';
import { shown } from './shown.ts';

/** Options of `longhaul evolution start`. */
export interface EvolutionOptions extends FlowOptions {
  /** Id of the change. */
  readonly change: string;
  /** @default the one that the contracts name */
  readonly pipeline?: string;
  /** Id of the repository, whose contracts are read at the default branch. @default that of the working folder */
  readonly repo?: string;
}

/**
 * `longhaul evolution start`: with the contracts as they are in the working folder, committed or not. Exit code 9 when a
 * policy is violated.
 */
export async function startEvolutionCommand(
  context: CliContext,
  version: string,
  options: EvolutionOptions,
): Promise<number> {
  const { change, pipeline } = options;
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const contracts = options.repo === undefined ? await storedContracts(context) : null;
  return runFlow(
    context,
    {
      flow: startEvolutionFlow,
      input: {
        repository,
        version,
        change,
        by: personOf(context),
        request: randomUUID(),
        ...(pipeline === undefined ? {} : { pipeline }),
        ...(contracts === null ? {} : { contracts }),
      },
      failsWithResult: 'PolicyViolation',
      print: (result) => printStart(context, result, change),
    },
    options,
  );
}

async function storedContracts(context: CliContext): Promise<string> {
  const [{ readContractFolder }, { storeContracts }, { openBlobs }, { topOfFolder }] = await Promise.all([
    import('../../../activities/release/contracts/contract-folder.ts'),
    import('../../../activities/release/contracts/stored-contracts.ts'),
    import('../../../activities/blobs/open-blobs.ts'),
    import('./folder-commit.ts'),
  ]);
  const blobs = await openBlobs(context, context.env);
  return storeContracts(blobs, await readContractFolder(await topOfFolder(context)));
}

function printStart({ stdout, stderr }: CliContext, result: EvolutionStart, change: string): number {
  if (result.started === null) stderr.write(`${shown(describeRefusal(result.checks))}\n`);
  else stdout.write(`${shown(describeStart(result, change))}\n`);
  return 0;
}

/** `longhaul evolution list`: the evolutions of a generation and its changes, from the ledger. */
export async function listEvolutionsCommand(
  context: CliContext,
  version: string,
  options: { readonly json?: boolean; readonly repo?: string },
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { withLedger } = await import('../../../activities/ledger/open-ledger.ts');
  const { readGeneration } = await import('../../../activities/release/evolutions/read-generation.ts');
  const view = await withLedger(await readersLogin(context), (ledger) => readGeneration(ledger, repository, version));
  if (view === null) {
    throw new LonghaulError(
      'InvalidInput',
      `The ledger has no generation ${version} of ${repository}: its first evolution adds it.`,
    );
  }
  print(context, view, options.json === true);
  return 0;
}

function print({ stdout }: CliContext, view: GenerationView, json: boolean): void {
  stdout.write(json ? `${JSON.stringify(view)}\n` : `${shown(describeEvolutions(view))}\n`);
}
