import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { commitHeader, fastImport, fileHeader } from '../examples/git.ts';

/** Repositories that are alike in size and different in content, each with a line of commits to move along. */
export interface FixtureOptions {
  readonly root: string;
  readonly repositories: number;
  /** How many of them have a new commit in every generation. */
  readonly moving: number;
  /** Files that such a commit changes. */
  readonly changedFiles: number;
  readonly filesEach: number;
  /** Generation 0 is the first commit of all; each further one a commit of those that move. */
  readonly generations: number;
  readonly signal?: AbortSignal;
}

/** A repository of the fixture. */
export interface FixtureRepository {
  /** `org/name`, its place below the root. */
  readonly name: string;
  readonly gitDir: string;
  /** The commit of `main` in each generation; a single one when it never moves. */
  readonly commits: readonly string[];
}

/** git's own process and disk are the limit: more at a time are not faster on few cores. */
const LANES = 4;
const LINES_A_FILE = 40;

/** Makes the repositories, bare, as `<root>/<org>/<name>.git`, `main` at generation 0. The same options make the same oids. */
export async function makeFixture(options: FixtureOptions): Promise<FixtureRepository[]> {
  const lane = pLimit(LANES);
  const numbers = Array.from({ length: options.repositories }, (_, number) => number);
  return lane.map(numbers, (number) => makeOne(number, options));
}

/** Points `main` of every moving repository at a generation. */
export async function moveTo(generation: number, fixture: readonly FixtureRepository[]): Promise<void> {
  const moving = fixture.filter(({ commits }) => commits.length > 1);
  await pLimit(LANES).map(moving, ({ gitDir, commits }) =>
    writeFile(join(gitDir, 'refs', 'heads', 'main'), `${commits[generation] ?? ''}\n`),
  );
}

async function makeOne(number: number, options: FixtureOptions): Promise<FixtureRepository> {
  options.signal?.throwIfAborted();
  const name = `org-${String(number % 10).padStart(2, '0')}/repository-${String(number).padStart(4, '0')}`;
  const gitDir = join(options.root, `${name}.git`);
  await layOut(gitDir);
  const commits = await fastImport(gitDir, history(number, options), options.signal);
  return { name, gitDir, commits };
}

/** What `git init --bare` makes, without its process: half of the time of a thousand repositories. */
async function layOut(gitDir: string): Promise<void> {
  await mkdir(join(gitDir, 'objects'), { recursive: true });
  await mkdir(join(gitDir, 'refs', 'heads'), { recursive: true });
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
}

function* history(number: number, options: FixtureOptions): Generator<string> {
  const generations = number < options.moving ? options.generations : 1;
  for (let generation = 0; generation < generations; generation++) {
    const mark = generation + 1;
    const parents = generation === 0 ? [] : [`:${generation}`];
    const files = generation === 0 ? options.filesEach : options.changedFiles;
    yield commitHeader({
      ref: 'refs/heads/main',
      mark,
      message: `generation ${generation}\n`,
      time: 1_700_000_000 + generation,
      parents,
    });
    for (let file = 0; file < files; file++) {
      const content = programText(number, file, generation);
      yield `${fileHeader('100644', `src/module-${file}.ts`, content.length)}${content}\n`;
    }
    yield `get-mark :${mark}\n`;
  }
  yield 'reset refs/heads/main\nfrom :1\n\n';
}

function programText(repository: number, file: number, generation: number): string {
  const lines = Array.from(
    { length: LINES_A_FILE },
    (_, line) => `export const value${line} = combine(${repository}, ${file}, ${generation}, ${line});`,
  );
  return `${lines.join('\n')}\n`;
}
