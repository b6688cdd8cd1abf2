import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import {
  manifestText,
  type NewRepo,
  withoutRepositories,
  withRepositories,
} from '../../domain/workspace/manifest-list.ts';
import { hasCode } from '../../platform/error-code.ts';
import { writeWhole } from '../../platform/whole-file.ts';
import { type FoundManifest, GRAFT_FILE, manifestIn, WORKSPACE_FILE } from './workspace-manifest-file.ts';

/**
 * Adds repositories to the manifest of a workspace, which keeps its other bytes, and is replaced whole. Those that it has
 * already are left. Without a manifest, one is written that has the repositories which are there, too. Throws
 * `InvalidConfiguration` when the result would not say what it shall.
 */
export async function addToManifest(root: string, found: FoundManifest, repos: readonly NewRepo[]): Promise<void> {
  const known = new Set(found.manifest.repositories.map(({ name }) => name));
  const fresh = repos.filter(({ name }) => !known.has(name));
  if (found.file === null) {
    const all = [
      ...found.manifest.repositories.filter(({ name }) => !repos.some((one) => one.name === name)),
      ...repos,
    ];
    return replaceManifest(root, WORKSPACE_FILE, null, manifestText(all), all);
  }
  if (fresh.length === 0) return;
  const { file, text } = await textOf(root, found);
  const changed = withRepositories(formatOf(file), text, fresh);
  await replaceManifest(root, file, text, changed, [...found.manifest.repositories, ...fresh]);
}

/** Takes repositories out of the manifest of a workspace; see {@link addToManifest}. Without a manifest nothing is done. */
export async function removeFromManifest(root: string, found: FoundManifest, names: readonly string[]): Promise<void> {
  const { repositories } = found.manifest;
  const places = repositories.flatMap(({ name }, at) => (names.includes(name) ? [at] : []));
  if (found.file === null || places.length === 0) return;
  if (places.length === repositories.length) {
    throw new LonghaulError(
      'InvalidInput',
      `${found.file} would have no repository left: remove the file if the workspace is not needed any more.`,
    );
  }
  const { file, text } = await textOf(root, found);
  const changed = withoutRepositories(formatOf(file), text, places);
  await replaceManifest(
    root,
    file,
    text,
    changed,
    repositories.filter(({ name }) => !names.includes(name)),
  );
}

async function textOf(
  root: string,
  { file }: FoundManifest,
): Promise<{ readonly file: string; readonly text: string }> {
  if (file === null) throw new Error('there is no manifest');
  return { file, text: await readFile(join(root, file), 'utf8') };
}

function formatOf(file: string): 'yaml' | 'graft' {
  return file === GRAFT_FILE ? 'graft' : 'yaml';
}

/** What is compared of a manifest that was changed. */
function named(repositories: readonly Pick<NewRepo, 'name' | 'path' | 'origin'>[]): string {
  return JSON.stringify(repositories.map(({ name, path, origin }) => [name, path, origin]));
}

/** Replaces the manifest when it still has the text from which it was made, and the new text says what it shall. */
async function replaceManifest(
  root: string,
  file: string,
  before: string | null,
  after: string | null,
  wanted: readonly Pick<NewRepo, 'name' | 'path' | 'origin'>[],
): Promise<void> {
  const read = after === null ? null : manifestIn(file, after);
  if (after === null || read === null || named(read.repositories) !== named(wanted)) {
    throw new LonghaulError('InvalidConfiguration', `${file} cannot be changed by this program: change it by hand.`);
  }
  const now = await readFile(join(root, file), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (now !== before) {
    throw new LonghaulError('PlanPreconditionFailed', `${file} was changed meanwhile: run the command again.`);
  }
  await writeWhole(join(root, file), after);
}
