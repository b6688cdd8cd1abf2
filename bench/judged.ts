import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { LonghaulError } from '../domain/shared/failures.ts';
import { commitHeader, git, importFolder, importRepository } from '../examples/git.ts';
import { waitForLock } from '../platform/file-lock.ts';
import { judgedFile } from './judged.schema.ts';
import type { JudgedFile, PublishedPackage } from './judged.schema.ts';
import { configuredRegistries, unpackPublished } from './published-package.ts';
import type { Registries } from './published-package.ts';

/** A package with judged queries. */
export interface Judged extends JudgedFile {
  /** The name of its file, and of its repository. */
  readonly name: string;
}

/** A judged package as a repository of a `local` provider whose root is {@link root}. */
export interface JudgedRepository {
  /** Absolute path; the same for all judged packages of one cache. */
  readonly root: string;
  /** `<half>/<name>`: the repository's id without the provider's name. */
  readonly repository: string;
  /** The only commit. Same package, same oid, on every machine. */
  readonly commit: string;
}

const FOLDER = join(import.meta.dirname, 'judged');
/** Time of every commit in seconds: its id depends on the package only. */
const TIME = Date.UTC(2025, 0, 1, 12) / 1_000;

/** Reads the YAML files of a folder, ordered by name. Throws `InvalidInput` with the file and what is wrong with it. */
export function readJudged(folder: string = FOLDER): Judged[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.toSorted().map((file) => ({ name: basename(file, '.yaml'), ...readFile(join(folder, file)) }));
}

function readFile(path: string): JudgedFile {
  const result = judgedFile.safeParse(parse(readFileSync(path, 'utf8')));
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new LonghaulError('InvalidInput', `${path}: ${issues.join('; ')}.`);
}

/**
 * Creates a bare repository with one commit of a judged package, below `<cacheDir>/judged/repositories`. An existing
 * one is left unchanged, and nothing is fetched.
 *
 * Throws `ServerUnavailable` when the registry does not serve the package, and `InvalidInput` when its content is not
 * the pinned one or lacks a judged file.
 */
export async function fetchJudged(
  judged: Judged,
  cacheDir: string,
  signal?: AbortSignal,
  registries: Registries = configuredRegistries(),
): Promise<JudgedRepository> {
  const home = join(cacheDir, 'judged');
  const root = join(home, 'repositories');
  const repository = `${judged.half}/${judged.name}`;
  const gitDir = join(root, `${repository}.git`);

  const made = await commitAt(gitDir, judged.package, signal);
  if (made !== null) return { root, repository, commit: made };

  await mkdir(join(root, judged.half), { recursive: true });
  const lock = await waitForLock(join(home, `.${judged.name}.lock`), { signal });
  try {
    const commit =
      (await commitAt(gitDir, judged.package, signal)) ?? (await make(judged, { home, gitDir, registries, signal }));
    return { root, repository, commit };
  } finally {
    await lock.release();
  }
}

interface Making {
  readonly home: string;
  readonly gitDir: string;
  readonly registries: Registries;
  readonly signal: AbortSignal | undefined;
}

async function make(judged: Judged, { home, gitDir, registries, signal }: Making): Promise<string> {
  const unfinished = join(home, 'unfinished', judged.name);
  await rm(unfinished, { recursive: true, force: true });
  try {
    const options = { cacheDir: join(home, 'packages'), registries, signal };
    const folder = await unpackPublished(judged.package, join(unfinished, 'unpacked'), options);
    await checkPaths(judged, folder);
    const [commit = ''] = await importRepository(join(unfinished, 'git'), commitOf(judged.package, folder), signal);
    await rm(gitDir, { recursive: true, force: true });
    await rename(join(unfinished, 'git'), gitDir);
    return commit;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Every judged path must be a file of the package. */
async function checkPaths({ name, queries }: Judged, folder: string): Promise<void> {
  const paths = new Set(queries.flatMap(({ relevant, secondary }) => [...relevant, ...secondary]));
  for (const path of paths) {
    const found = await stat(join(folder, path)).catch(() => null);
    if (found?.isFile()) continue;
    throw new LonghaulError('InvalidInput', `${name}.yaml judges ${path}, which is not a file of the package.`);
  }
}

async function* commitOf(pkg: PublishedPackage, folder: string): AsyncGenerator<string | Uint8Array> {
  yield commitHeader({ ref: 'refs/heads/main', mark: 1, message: messageOf(pkg), time: TIME, parents: [] });
  yield* importFolder(folder);
  yield 'get-mark :1\n';
}

/** Includes everything that the commit depends on, so that a repository of another pin is recognised. */
function messageOf({ registry, name, version, sha256, folder }: PublishedPackage): string {
  return `${name} ${version} of ${registry}\n\nsha256 ${sha256}${folder === undefined ? '' : `\nfolder ${folder}`}\n`;
}

/** The commit of a repository made from this package; otherwise null. */
async function commitAt(gitDir: string, pkg: PublishedPackage, signal?: AbortSignal): Promise<string | null> {
  if (!(await stat(gitDir).catch(() => null))) return null;
  const shown = await git([`--git-dir=${gitDir}`, 'log', '-1', '--format=%H%n%B', 'main'], signal).catch(() => {
    signal?.throwIfAborted();
    return '';
  });
  const [commit = '', ...message] = shown.split('\n');
  return message.join('\n').trim() === messageOf(pkg).trim() ? commit : null;
}
