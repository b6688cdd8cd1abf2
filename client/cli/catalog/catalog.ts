import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { shownError, worstExitCode } from '../../core/errors.ts';
import { printList } from '../../core/print-list.ts';
import { loadedConfig } from '../../core/servers.ts';

/** `longhaul repos list`: the repositories of the providers, with mgit's field names. */
export async function printRepositories(
  context: CliContext,
  patterns: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  const { openMgit } = await import('../../../activities/mgit/open-mgit.ts');
  const onPassedOver = (path: string, why: string): void =>
    void context.stderr.write(`passed over ${printable(path)}: ${printable(why)}\n`);
  const repositories = await openMgit(loadedConfig(context), context.env).list(patterns, { onPassedOver });
  if (json) {
    const shown = repositories.map(({ cloneUrl, defaultBranch, ...rest }) => ({
      ...rest,
      clone_url: cloneUrl,
      default_branch: defaultBranch,
    }));
    context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return 0;
  }
  for (const { id, cloneUrl } of repositories) context.stdout.write(`${printable(id)}\t${printable(cloneUrl)}\n`);
  context.stderr.write(`mgit list matched ${repositories.length} repositories.\n`);
  return 0;
}

/** `longhaul diff`: the change stream of one repository since a commit, JSONL on stdout. */
export async function printDiff(
  context: CliContext,
  repository: string,
  { since }: { readonly since?: string },
): Promise<number> {
  const [{ openMgit }, { diffLines }] = await Promise.all([
    import('../../../activities/mgit/open-mgit.ts'),
    import('../../../activities/mgit/index.ts'),
  ]);
  const mgit = openMgit(loadedConfig(context), context.env);
  for await (const line of diffLines(mgit, await mgit.find(repository), { since: since ?? null })) {
    if (!context.stdout.write(`${line}\n`)) await once(context.stdout, 'drain');
  }
  await mgit.tidy(context.config.cache.maxBytes);
  return 0;
}

/** `longhaul index list`: the receipts, one for each ref of a repository. */
export async function listIndex(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const { readReceipts } = await import('../../catalog/builds.ts');
  return printList(context, await readReceipts(context), options, {
    head: ['repository', 'branch', 'commit', 'files', 'objects', 'indexed', 'state'],
    row: ({ repository, branch, branches, commit, files, objects, indexedAt, pending }) => {
      const state = pending === null ? 'complete' : `syncing to ${pending.commit.slice(0, 10)}`;
      const at = branches === undefined ? (branch ?? '') : `${branch ?? 'detached'} (HEAD)`;
      return [repository, at, commit.slice(0, 10), files, objects, indexedAt, state];
    },
  });
}

/** `longhaul index stdin`: ingests a change stream of any producer. Returns the exit code of the worst failure. */
export async function indexStdin(
  context: CliContext,
  options: { readonly provider: string; readonly file?: string; readonly json?: boolean },
): Promise<number> {
  const { ingestLines } = await import('../../catalog/ingest.ts');
  const { file } = options;
  if (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new LonghaulError('InvalidInput', `--file: there is no file ${file}.`);
  }
  const input = file === undefined ? context.stdin : createReadStream(file);
  const { outcomes, failures } = await ingestLines(context, input, options.provider);
  const failed = failures.map(({ repository, error }) => ({ repository, ...shownError(error) }));
  if (options.json) {
    const [first] = failed;
    const error = first && { type: first.type, message: first.message, remedy: first.remedy };
    const shown = failed.map(({ repository, type, message }) => ({ repository, type, error: message }));
    context.stdout.write(`${JSON.stringify({ repositories: outcomes, failures: shown, ...(error && { error }) })}\n`);
    return worstExitCode(failed);
  }
  for (const result of outcomes) {
    const { repository, filesChanged, objectsWritten, objectsDeleted, objects } = result;
    context.stdout.write(
      `${printable(repository)}: ${filesChanged} files, +${objectsWritten} -${objectsDeleted} objects, ${objects} now\n`,
    );
  }
  for (const { repository, message, remedy } of failed) {
    context.stderr.write(
      `longhaul: ${printable(`${repository}: ${message}`)}\n${remedy === null ? '' : `${remedy}\n`}`,
    );
  }
  return worstExitCode(failed);
}
