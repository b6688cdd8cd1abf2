import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeGeneration,
  describeGenerations,
  describeStatus,
} from '../../../domain/release/promotion/describe-generation.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { readersLogin } from '../../core/ledger.ts';
import { topOfFolder } from './folder-commit.ts';
import { type ReadOptions, readKnownView } from './read-view.ts';
import { printableLines } from './printable-lines.ts';

/** `longhaul generation list`: the generations of the ledger, and those of the working folder that it does not have. */
export async function listGenerationsCommand(context: CliContext, options: ReadOptions): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const { withLedger } = await import('../../../activities/ledger/open-ledger.ts');
  const { listGenerations } = await import('../../../activities/release/promotion/list-generations.ts');
  const known = await withLedger(await readersLogin(context), (ledger) => listGenerations(ledger, repository));
  const local = options.repo === undefined ? await localGenerations(context) : [];
  const drafts = local
    .filter(({ version }) => !known.some((each) => each.version === version))
    .map(({ version, description, changes }) => ({
      version,
      status: 'draft',
      description,
      changes,
      proven: 0,
      promotedAt: null,
      isLocal: true,
    }));
  const all = [...known.map((each) => ({ ...each, isLocal: false })), ...drafts];
  context.stdout.write(
    options.json === true ? `${JSON.stringify(all)}\n` : `${printableLines(describeGenerations(all))}\n`,
  );
  return 0;
}

/** `longhaul generation show`: a generation with its changes, and what proved them. */
export async function showGenerationCommand(
  context: CliContext,
  version: string,
  options: ReadOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const view = await readKnownView(context, repository, version);
  context.stdout.write(
    options.json === true ? `${JSON.stringify(view)}\n` : `${printableLines(describeGeneration(view))}\n`,
  );
  return 0;
}

/** `longhaul generation status`: what stands where, and the one command that goes on. */
export async function generationStatusCommand(
  context: CliContext,
  version: string,
  options: ReadOptions,
): Promise<number> {
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const view = await readKnownView(context, repository, version);
  const { openMgit } = await import('../../../activities/mgit/open-mgit.ts');
  const mgit = openMgit({ ...context, path: context.configPath }, context.env);
  const tags = await mgit.findTags(await mgit.find(repository), view.version);
  const tag = tags.find(({ name }) => name === view.version) ?? null;
  const status = { ...view, remoteTag: tag };
  context.stdout.write(
    options.json === true ? `${JSON.stringify(status)}\n` : `${printableLines(describeStatus(status))}\n`,
  );
  return 0;
}

/** The generations of the working folder; none when it has no contracts. */
async function localGenerations(context: CliContext) {
  const { readContractFolder } = await import('../../../activities/release/contracts/contract-folder.ts');
  const { checkContracts } = await import('../../../activities/release/contracts/contracts.ts');
  const top = await topOfFolder(context);
  if (!existsSync(join(top, '.longhaul')) && !existsSync(join(top, '.gryt'))) return [];
  const { contracts } = checkContracts(await readContractFolder(top));
  return Object.values(contracts.generations).map(({ version, description, changes }) => ({
    version,
    description,
    changes: changes.length,
  }));
}
