import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import {
  canonicalVersion,
  generationPaths,
  NOT_A_VERSION,
  VERSION_FORM,
} from '../../../domain/release/contracts/version.ts';
import { whyVersionIsKept } from '../../../domain/release/evolutions/kept-version.ts';
import { renameGenerationFlow } from '../../../domain/release/flows/rename-flow.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliContext } from '../../core/context.ts';
import { repositoryOfFolder } from '../../core/folder-repository.ts';
import { userName } from '../../core/user-name.ts';
import { topOfFolder } from './folder-commit.ts';
import { type ReadOptions, readView } from './read-view.ts';

/** Options of `longhaul generation new`. */
export interface NewOptions {
  /** What the generation is about. @default nothing */
  readonly description?: string;
  /** The pipeline that proves its changes. */
  readonly pipeline?: string;
}

const HINT =
  '# type: fix, refine, add or remove; id: capital letters and digits in parts with dashes, such as FEAT-201\n';

/** `longhaul generation new`: writes the file of a generation into the working folder, to be edited. */
export async function newGenerationCommand(
  context: CliContext,
  written: string,
  { description, pipeline }: NewOptions,
): Promise<number> {
  const version = checkedVersion(written);
  const top = await topOfFolder(context);
  const folder = existsSync(join(top, '.gryt')) && !existsSync(join(top, '.longhaul')) ? '.gryt' : '.longhaul';
  const known = fileOf(top, version);
  if (known !== null) throw new LonghaulError('InvalidInput', `${relative(top, known)} exists: edit it.`);
  const path = join(top, folder, 'generations', `${version}.yaml`);
  const text = stringify({
    version,
    description: description ?? '',
    ...(pipeline === undefined ? {} : { pipeline_template: pipeline }),
    changes: [{ type: 'add', id: 'FEAT-1', title: 'What it does' }],
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${text}${HINT}`, { flag: 'wx' });
  context.stdout.write(`Generation ${version} created: ${relative(process.cwd(), path)}\n`);
  context.stderr.write('Edit its changes, and check them with: longhaul release check\n');
  return 0;
}

/**
 * `longhaul generation rename`: gives a draft that has no evolutions another version, in its file's name and content, and
 * in the ledger if that has it.
 */
export async function renameGenerationCommand(
  context: CliContext,
  from: string,
  to: string,
  options: ReadOptions,
): Promise<number> {
  const [version, other] = [checkedVersion(from), checkedVersion(to)];
  const top = await topOfFolder(context);
  const path = fileOf(top, version);
  if (path === null) throw new LonghaulError('InvalidInput', `This folder has no file of the generation ${version}.`);
  const taken = fileOf(top, other);
  if (taken !== null)
    throw new LonghaulError('InvalidInput', `${relative(top, taken)} exists: choose another version.`);
  const repository = options.repo ?? (await repositoryOfFolder(context));
  const document = parseDocument(await readFile(path, 'utf8'));
  document.set('version', other);
  const text = document.toString();
  const view = await readView(context, repository, version);
  const why = view === null ? null : whyVersionIsKept({ ...view, hasEvolutions: view.evolutions.length > 0 });
  if (why !== null) {
    throw new LonghaulError('GenerationDiffers', `${version} of ${repository} ${why}, so it keeps its version.`);
  }
  const isKnown = view !== null || (await readView(context, repository, other)) !== null;
  // the ledger first: it may refuse, and a repetition finds what it has done
  const code = isKnown ? await renameRecorded(context, { repository, top, path, version, other, text }) : 0;
  if (code !== 0) return code;
  const target = join(dirname(path), `${other}.yaml`);
  // the new file first: if the process ends here, the old one is still whole
  await writeWhole(target, text);
  await rm(path);
  context.stdout.write(`Generation ${version} renamed to ${other}: ${relative(process.cwd(), target)}\n`);
  return 0;
}

/** Renames the generation in the ledger. Returns the exit code. */
async function renameRecorded(
  context: CliContext,
  {
    repository,
    top,
    path,
    version,
    other,
    text,
  }: Readonly<Record<'repository' | 'top' | 'path' | 'version' | 'other' | 'text', string>>,
): Promise<number> {
  const [{ readContractFolder }, { storeContracts }, { openBlobs }, { runFlow }, { earlierContracts }] =
    await Promise.all([
      import('../../../activities/release/contracts/contract-folder.ts'),
      import('../../../activities/release/contracts/stored-contracts.ts'),
      import('../../../activities/blobs/open-blobs.ts'),
      import('../flows/run-flow.ts'),
      import('./earlier-contracts.ts'),
    ]);
  const { name, files } = await readContractFolder(top);
  const others = files.filter((file) => join(top, name, file.path) !== path);
  const blobs = await openBlobs(context, context.env);
  const contracts = await storeContracts(blobs, {
    name,
    files: [...others, { path: `generations/${other}.yaml`, text }],
  });
  const replaces = await earlierContracts(context, version, 'HEAD');
  const input = { repository, version, to: other, contracts, replaces, by: userName(context.env) };
  return runFlow(context, { flow: renameGenerationFlow, input, print: () => 0 }, {});
}

/** The file of a generation in the working folder; null when there is none. */
function fileOf(top: string, version: string): string | null {
  const places = ['.longhaul', '.gryt'].flatMap((folder) =>
    generationPaths(version).map((path) => join(top, folder, path)),
  );
  return places.find((path) => existsSync(path)) ?? null;
}

function checkedVersion(written: string): string {
  if (VERSION_FORM.test(written)) return canonicalVersion(written);
  throw new LonghaulError('InvalidInput', `"${written}" ${NOT_A_VERSION}.`);
}
