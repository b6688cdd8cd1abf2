import { readdir, readFile, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** The author of commits in demo and test repositories: fixed, so that the same content has the same oid everywhere. */
export const AUTHOR = 'Longhaul <longhaul@example.invalid>';

/** An environment in which git reads no configuration of the user or the machine, does not prompt, and runs no hook. */
export const CLEAN_GIT_ENV: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  HOME: devNull,
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_TERMINAL_PROMPT: '0',
};

/**
 * Runs git and returns its standard output without the last line feed. Rejects with git's own message when it fails.
 */
export async function git(args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { stdout } = await execa('git', args, options(signal));
  return stdout;
}

/**
 * Creates a bare repository at `gitDir`, with HEAD on `main`, and runs the commands of a `git fast-import` stream.
 * Returns the output of the stream's `get-mark` commands: one oid each. Rejects, leaving an incomplete folder, when git
 * refuses a command or the stream ends early.
 */
export async function importRepository(
  gitDir: string,
  commands: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  signal?: AbortSignal,
): Promise<string[]> {
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', gitDir], signal);
  return fastImport(gitDir, commands, signal);
}

/**
 * Runs the commands of a `git fast-import` stream in an existing repository; branches may move anywhere. Returns like
 * {@link importRepository}.
 */
export async function fastImport(
  gitDir: string,
  commands: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  signal?: AbortSignal,
): Promise<string[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const command of commands) yield typeof command === 'string' ? Buffer.from(command) : command;
    yield Buffer.from('done\n');
  }
  const command = [
    `--git-dir=${gitDir}`,
    '-c',
    'fastimport.unpackLimit=1',
    'fast-import',
    '--quiet',
    '--force',
    '--done',
  ];
  const { stdout } = await execa('git', command, {
    ...options(signal),
    stdin: bytes(),
  });
  return stdout === '' ? [] : stdout.split('\n');
}

/** The data of {@link commitHeader}. */
export interface CommitHeader {
  readonly ref: string;
  readonly mark: number;
  readonly message: string;
  /** Seconds since 1970, of author and committer. */
  readonly time: number;
  /** Marks (`:1`) or commit oids; none for a root commit. File commands start from the first one's tree. */
  readonly parents: readonly string[];
}

/** The beginning of a `commit` command; file commands follow. */
export function commitHeader({ ref, mark, message, time, parents }: CommitHeader): string {
  const [first, ...merged] = parents;
  const who = `${AUTHOR} ${time} +0000\n`;
  const from = first === undefined ? '' : `from ${first}\n`;
  return `commit ${ref}\nmark :${mark}\nauthor ${who}committer ${who}${data(message)}${from}${merged.map((parent) => `merge ${parent}\n`).join('')}`;
}

/** An annotated tag on a commit. */
export function annotatedTag(name: string, target: string, message: string, time: number): string {
  return `tag ${name}\nfrom ${target}\ntagger ${AUTHOR} ${time} +0000\n${data(message)}`;
}

/** A `data` command of text. */
export function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** A file command that writes `content` to `path`; the content follows as bytes, then a line feed. */
export function fileHeader(mode: string, path: string, size: number): string {
  return `M ${mode} inline ${quoted(path)}\ndata ${size}\n`;
}

/** File commands that write every plain file of a folder, below `path` of the repository. Links are skipped. */
export async function* importFolder(folder: string, path = ''): AsyncGenerator<string | Uint8Array> {
  // without readdir's own recursion, which follows links
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const source = join(folder, entry.name);
    if (entry.isDirectory()) yield* importFolder(source, `${path}${entry.name}/`);
    if (!entry.isFile()) continue;
    const content = await readFile(source);
    const mode = (await stat(source)).mode & 0o100 ? '100755' : '100644';
    yield fileHeader(mode, `${path}${entry.name}`, content.length);
    yield content;
    yield '\n';
  }
}

/** A path for fast-import, with any content. A byte that is not UTF-8 is given as the lone surrogate U+DC00 + byte. */
function quoted(path: string): string {
  const escaped = path.replace(/["\\\n\u{dc80}-\u{dcff}]/gu, (character) => {
    const byte = character.charCodeAt(0) & 0xff;
    return `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped}"`;
}

function options(signal: AbortSignal | undefined) {
  return { env: CLEAN_GIT_ENV, extendEnv: false, ...(signal && { cancelSignal: signal }) } as const;
}
