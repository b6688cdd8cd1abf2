import { randomUUID } from 'node:crypto';
import {
  describeEvolutions,
  describeRefusal,
  describeStart,
  type GenerationView,
} from '../../../domain/release/evolutions/describe.ts';
import {
  abandonEvolutionFlow,
  startEvolutionFlow,
  type StartEvolutionResult,
} from '../../../domain/release/flows/evolution-flows.ts';
import { userName } from '../../core/user-name.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { commitOfFolder } from './folder-commit.ts';
import { canonicalVersion } from '../../../domain/release/contracts/version.ts';
import { earlierContracts } from './earlier-contracts.ts';
import { type ReadOptions, readKnownView } from './read-view.ts';
import { printRun } from './run.ts';
import { printableLines } from './printable-lines.ts';

/** Options of `longhaul evolution start`. */
export interface EvolutionOptions extends FlowOptions {
  /** Id of the change. */
  readonly change: string;
  /** @default the one that the contracts name */
  readonly pipeline?: string;
  /** Proves it at once at a commit of the working folder. @default it stays pending */
  readonly commit?: string;
  /** Digest of the contract in the ledger that the one of this folder replaces. @default those of its history */
  readonly replaces?: string;
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
  const { change, pipeline, replaces } = options;
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const folder = options.commit === undefined ? null : await commitOfFolder(context, repository, options.commit);
  const packed = folder?.packed ?? null;
  const branch = folder?.branch ?? null;
  // at a commit its own contracts hold
  const contracts = options.repo === undefined && folder === null ? await storedContracts(context) : null;
  const earlier =
    options.repo === undefined
      ? await earlierContracts(context, canonicalVersion(version), options.commit ?? 'HEAD')
      : [];
  return runFlow(
    context,
    {
      flow: startEvolutionFlow,
      input: {
        repository,
        version,
        change,
        by: userName(context.env),
        request: randomUUID(),
        replaces: [...(replaces === undefined ? [] : [replaces]), ...earlier],
        ...(pipeline === undefined ? {} : { pipeline }),
        ...(contracts === null ? {} : { contracts }),
        ...(folder === null ? {} : { commit: folder.commit }),
        ...(branch === null ? {} : { branch }),
        ...(packed === null ? {} : { packed }),
      },
      failsWithResult: ['PolicyViolation', 'PipelineFailed'],
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

async function printStart(context: CliContext, result: StartEvolutionResult, change: string): Promise<number> {
  const { stdout, stderr } = context;
  if (result.started === null) stderr.write(`${printableLines(describeRefusal(result.checks))}\n`);
  else stdout.write(`${printableLines(describeStart(result, change))}\n`);
  if (result.proof === null) return 0;
  stdout.write('\n');
  return printRun(context, result.proof);
}

/** Options of `longhaul evolution abandon`. */
export interface AbandonOptions extends FlowOptions {
  readonly why: string;
  /** Id of the repository. @default that of the working folder */
  readonly repo?: string;
}

/** `longhaul evolution abandon`: ends a pending evolution without a verdict. */
export async function abandonEvolutionCommand(
  context: CliContext,
  evolution: string,
  options: AbandonOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  return runFlow(
    context,
    {
      flow: abandonEvolutionFlow,
      input: { repository, evolution, why: options.why, by: userName(context.env) },
      print: ({ abandoned }) => {
        context.stdout.write(`Evolution ${abandoned} abandoned.\n`);
        return 0;
      },
    },
    options,
  );
}

/** `longhaul evolution list`: the evolutions of a generation and its changes, from the ledger. */
export async function listEvolutionsCommand(
  context: CliContext,
  version: string,
  options: ReadOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const view = await readKnownView(context, repository, version);
  print(context, view, options.json === true);
  return 0;
}

function print({ stdout }: CliContext, view: GenerationView, json: boolean): void {
  stdout.write(json ? `${JSON.stringify(view)}\n` : `${printableLines(describeEvolutions(view))}\n`);
}
