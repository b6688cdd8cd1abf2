import { lstat, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentService } from '../../../domain/release/contracts/environments.schema.ts';
import { deploymentVariables } from '../../../domain/release/deployment/hook.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { openUntrusted } from '../../../platform/untrusted-file.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { CommitSources } from '../pipelines/commit-sources.ts';
import { inCheckout } from '../pipelines/in-checkout.ts';
import { programOf } from '../pipelines/job-services.ts';
import { createOutputTail, LONGEST_TAIL } from '../pipelines/output-tail.ts';
import { storeSealed } from './sealed.ts';

/** Tools that manifests are rendered with. */
export interface RenderTools {
  readonly blobs: BlobStore;
  readonly sources: CommitSources;
  readonly sandbox: Sandbox;
}

/** Manifests to render. */
export interface RenderTask {
  readonly repository: string;
  readonly packed: PackedCommit;
  readonly environment: string;
  readonly service: string;
  readonly manifests: EnvironmentService['manifests'];
  /** The public key of the workers that may read them: they contain Secrets. */
  readonly sealTo: string;
  readonly signal: AbortSignal;
}

/** Rendered manifests of one service: larger ones are a mistake. */
const MOST_BYTES = 16_000_000;
const LONGEST_SECONDS = 600;

/** Where a program's output goes: outside of the files of the commit. */
const OUTPUT = join('.git', 'longhaul-manifests');

/**
 * Renders the manifests of a service in a checkout of exactly this commit, and returns the digest of the sealed stream in
 * the blob store. A program of the repository runs in the sandbox, without credentials; the same commit must render the
 * same bytes. Throws `InvalidConfiguration` when there is nothing to render or the program fails.
 */
export async function renderManifests(tools: RenderTools, task: RenderTask): Promise<string> {
  const { repository, packed, manifests, signal } = task;
  const about = `The manifests of ${task.service} in ${task.environment}`;
  const rendered = await inCheckout(tools, { packed, about: repository, name: 'render', signal }, async (folder) =>
    manifests.folder === undefined
      ? runRenderer(tools.sandbox, task, folder, about)
      : documentsOf(await filesIn(folder, manifests.folder, about)),
  );
  return storeSealed(tools.blobs, task.sealTo, rendered);
}

/** What a program writes to its standard output. */
async function runRenderer(
  sandbox: Sandbox,
  { repository, packed, environment, service, manifests, signal }: RenderTask,
  folder: string,
  about: string,
): Promise<Uint8Array> {
  await mkdir(join(folder, '.git'), { recursive: true });
  await sandbox.give(folder);
  const argv = manifests.kustomize === undefined ? programOf(manifests) : ['kubectl', 'kustomize', manifests.kustomize];
  const output = createOutputTail();
  const { exitCode, ended } = await sandbox.run({
    // its standard output alone is the manifests
    argv: ['bash', '-c', 'exec "$@" > "$0"', OUTPUT, ...argv],
    folder,
    env: deploymentVariables({ repository, commit: packed.commit, environment, service }),
    network: manifests.network,
    timeoutSeconds: LONGEST_SECONDS,
    signal,
    onOutput: (piece) => output.write(piece),
  });
  signal.throwIfAborted();
  if (exitCode !== 0) {
    const how = ended === 'exit' ? `it exited with ${exitCode}` : `it was ended: ${ended}`;
    const said = output.text(LONGEST_TAIL).trim();
    throw invalid(`${about} were not rendered: ${how}.${said === '' ? '' : ` It said: ${said}`}`);
  }
  return outputIn(join(folder, OUTPUT), about);
}

async function outputIn(path: string, about: string): Promise<Uint8Array> {
  const file = await openUntrusted(path);
  if (file === null) throw invalid(`${about} were not rendered: the program has replaced the file with its output.`);
  try {
    if ((await file.stat()).size > MOST_BYTES) throw invalid(`${about} have more than ${MOST_BYTES} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** The YAML and JSON files under a folder of the commit, in the order of their paths. Links are not followed. */
async function filesIn(root: string, folder: string, about: string): Promise<readonly string[]> {
  const top = join(root, folder);
  const found = await lstat(top).catch(() => null);
  // a link could lead out of the commit
  if (!found?.isDirectory() || (await realpath(top)) !== top) {
    throw invalid(`${about}: there is no folder ${folder} in the commit.`);
  }
  const entries = await readdir(top, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/u.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (files.length === 0) throw invalid(`${about}: the folder ${folder} has no YAML or JSON file.`);
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  if (bytes > MOST_BYTES) throw invalid(`${about} have more than ${MOST_BYTES} bytes.`);
  return files;
}

/** The files as one stream of documents. */
async function documentsOf(files: readonly string[]): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for (const file of files) pieces.push(Buffer.from('---\n'), await readFile(file), Buffer.from('\n'));
  return Buffer.concat(pieces);
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', message);
}
