import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { commitHeader, fastImport, fileHeader } from '../examples/git.ts';

/** A repository of the fixture. */
export interface FixtureRepository {
  /** `org/name`, its path below the root. */
  readonly name: string;
  readonly gitDir: string;
  /** The commit of `main` in each generation; a single one when it never moves. */
  readonly commits: readonly string[];
}

/** git's own process and the disk are the limit: more in parallel is not faster on few cores. */
const LANES = 4;
const LINES_A_FILE = 40;

/**
 * Creates bare repositories as `<root>/<org>/<name>.git`, equal in size and different in content, with one commit each.
 * The same options make the same oids.
 */
export async function makeFixture(options: {
  readonly root: string;
  readonly repositories: number;
  readonly filesEach: number;
  readonly signal?: AbortSignal;
}): Promise<FixtureRepository[]> {
  const { root, repositories, filesEach, signal } = options;
  const numbers = Array.from({ length: repositories }, (_, number) => number);
  return pLimit(LANES).map(numbers, async (number) => {
    signal?.throwIfAborted();
    const name = `org-${number % 10}/repository-${String(number).padStart(4, '0')}`;
    const gitDir = join(root, `${name}.git`);
    await layOut(gitDir);
    const first = generation(number, 0, filesEach, []);
    return { name, gitDir, commits: await fastImport(gitDir, first, signal) };
  });
}

/**
 * Adds further generations to the first `moving` repositories, one commit each that changes `changedFiles` files, and
 * leaves `main` at the first. {@link moveTo} moves it.
 */
export async function growFixture(
  fixture: readonly FixtureRepository[],
  options: {
    readonly moving: number;
    readonly changedFiles: number;
    readonly generations: number;
    readonly signal?: AbortSignal;
  },
): Promise<FixtureRepository[]> {
  const { moving, changedFiles, generations, signal } = options;
  return pLimit(LANES).map(
    fixture.map((repository, number) => ({ repository, number })),
    async ({ repository, number }) => {
      if (number >= moving) return repository;
      const [first = ''] = repository.commits;
      function* commits(): Generator<string> {
        for (let age = 1; age <= generations; age++) {
          yield* generation(number, age, changedFiles, [age === 1 ? first : `:${age - 1}`]);
        }
        yield `reset refs/heads/main\nfrom ${first}\n\n`;
      }
      return { ...repository, commits: [first, ...(await fastImport(repository.gitDir, commits(), signal))] };
    },
  );
}

/** Points `main` of every moving repository at a generation. */
export async function moveTo(age: number, fixture: readonly FixtureRepository[]): Promise<void> {
  const moving = fixture.filter(({ commits }) => commits.length > 1);
  await pLimit(LANES).map(moving, ({ gitDir, commits }) =>
    writeFile(join(gitDir, 'refs', 'heads', 'main'), `${commits[age] ?? ''}\n`),
  );
}

/** Does what `git init --bare` does without a process: half of the time for a thousand repositories. */
async function layOut(gitDir: string): Promise<void> {
  await mkdir(join(gitDir, 'objects'), { recursive: true });
  await mkdir(join(gitDir, 'refs', 'heads'), { recursive: true });
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(gitDir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
}

/** The commit of one generation: its first files are written, the others stay as they were. */
function* generation(repository: number, age: number, files: number, parents: readonly string[]): Generator<string> {
  const mark = Math.max(age, 1);
  yield commitHeader({
    ref: 'refs/heads/main',
    mark,
    message: `generation ${age}\n`,
    time: 1_700_000_000 + age,
    parents,
  });
  for (let file = 0; file < files; file++) {
    const content = programText(repository, file, age);
    yield `${fileHeader('100644', `src/module-${file}.ts`, content.length)}${content}\n`;
  }
  yield `get-mark :${mark}\n`;
}

function programText(repository: number, file: number, age: number): string {
  const lines = Array.from(
    { length: LINES_A_FILE },
    (_, line) => `export const value${line} = combine(${repository}, ${file}, ${age}, ${line});`,
  );
  return `${lines.join('\n')}\n`;
}
