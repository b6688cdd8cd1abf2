import { commitHeader, fileHeader, git, importRepository } from '../../examples/git.ts';

/** One move of `main`. */
export interface WalkStep {
  /** What happened to the history, and to the files: for the message of a test that fails. */
  readonly what: string;
  /** Where `main` is after it. */
  readonly commit: string;
}

interface File {
  readonly mode: '100644' | '100755' | '120000';
  readonly content: Buffer;
}
type Tree = ReadonlyMap<string, File>;

interface Commit {
  readonly tree: Tree;
  readonly parents: readonly Commit[];
  readonly mark: number;
}

/** Folders and names that the rules of the index treat differently, and that break programs which trust file names. */
const FOLDERS = [
  '',
  'src/',
  'src/deep/er/',
  'test/',
  'docs/',
  'node_modules/left/',
  'vendor/',
  'with space/',
  'ünï/',
  'a:b/',
];
const NAMES = [
  'main.ts',
  'util.py',
  'lib.go',
  'README.md',
  'data.json',
  'style.css',
  'no-extension',
  'quo"te.js',
  '-dash.rs',
];
/** Not UTF-8: the lone surrogate stands for the byte 0xff. */
const BYTES_NAME = 'by\udcfftes.ts';

/**
 * Makes a bare repository at `gitDir` whose `main` can be led through `steps` states: commits that add, change, rename, copy
 * and delete files, change modes and types; merges; reverts; force-pushes back and to another history. The same seed makes
 * the same oids. `main` is left at the first state; {@link moveMain} leads it on.
 */
export async function makeRandomWalk(
  gitDir: string,
  { seed, steps }: { seed: number; steps: number },
): Promise<WalkStep[]> {
  const walk = plan(randomFrom(seed), steps);
  const oids = await importRepository(gitDir, stream(walk));
  return walk.map(({ what }, index) => ({ what, commit: oids[index] ?? '' }));
}

/** Points `main` at a state of the walk, as a push or force-push would. */
export async function moveMain(gitDir: string, { commit }: WalkStep): Promise<void> {
  await git([`--git-dir=${gitDir}`, 'update-ref', 'refs/heads/main', commit]);
}

interface PlannedStep {
  readonly what: string;
  readonly head: Commit;
  /** The commits that the step needs and no earlier one has made. */
  readonly made: readonly Commit[];
}

function plan(random: Random, steps: number): PlannedStep[] {
  const commits: Commit[] = [];
  function commit(tree: Tree, ...parents: Commit[]): Commit {
    const made = { tree, parents, mark: commits.length + 1 };
    commits.push(made);
    return made;
  }

  let tree: Tree = new Map();
  for (let i = 0; i < 12; i++) tree = EDITS.add(tree, random);
  let head = commit(tree);
  const walk: PlannedStep[] = [{ what: 'first commit', head, made: [head] }];

  while (walk.length < steps) {
    const before = commits.length;
    let what = random.pick(['commit', 'commit', 'commit', 'commit', 'merge', 'revert', 'reset', 'rewrite']);
    const earlier = ancestor(head, 1 + random.below(3));
    switch (what) {
      case 'merge': {
        const ours = edited(head.tree, random);
        const theirs = edited(earlier.tree, random);
        head = commit(
          merged(earlier.tree, ours.tree, theirs.tree),
          commit(ours.tree, head),
          commit(theirs.tree, earlier),
        );
        what += ` of ${ours.what} and ${theirs.what}`;
        break;
      }
      case 'revert':
        head = commit(earlier.tree, head);
        break;
      case 'reset':
        head = earlier;
        break;
      case 'rewrite':
      default: {
        const { tree: next, what: edits } = edited(head.tree, random);
        head = commit(next, what === 'rewrite' ? earlier : head);
        what += ` of ${edits}`;
      }
    }
    walk.push({ what, head, made: commits.slice(before) });
  }
  return walk;
}

function* stream(walk: readonly PlannedStep[]): Generator<string | Uint8Array> {
  for (const { head, made } of walk) {
    for (const { tree, parents, mark } of made) {
      const from = parents.map((parent) => `:${parent.mark}`);
      const time = 1_700_000_000 + mark;
      yield commitHeader({
        ref: 'refs/heads/main',
        mark,
        message: `commit ${mark}\n`,
        time,
        parents: from,
      });
      yield 'deleteall\n';
      for (const [path, { mode, content }] of tree) {
        yield fileHeader(mode, path, content.length);
        yield content;
        yield '\n';
      }
    }
    yield `get-mark :${head.mark}\n`;
  }
  yield `reset refs/heads/main\nfrom :1\n\n`;
}

function ancestor(commit: Commit, generations: number): Commit {
  const parent = commit.parents[0];
  return generations === 0 || parent === undefined ? commit : ancestor(parent, generations - 1);
}

/** Every path that one side changed comes from that side; theirs wins where both did. */
function merged(base: Tree, ours: Tree, theirs: Tree): Tree {
  const result = new Map(ours);
  for (const path of new Set([...base.keys(), ...theirs.keys()])) {
    const file = theirs.get(path);
    if (file === base.get(path)) continue;
    if (file === undefined) result.delete(path);
    else put(result, path, file);
  }
  return result;
}

function edited(tree: Tree, random: Random): { tree: Tree; what: string } {
  const names = Object.keys(EDITS) as (keyof typeof EDITS)[];
  const usual = ['add', 'add', 'change', 'change', 'change', 'rename'] as const;
  const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick([...names, ...usual]));
  return { tree: chosen.reduce((next, name) => EDITS[name](next, random), tree), what: chosen.join(' + ') };
}

const EDITS = {
  add(tree: Tree, random: Random): Tree {
    return written(tree, somePath(random), { mode: '100644', content: someContent(random) });
  },
  change(tree: Tree, random: Random): Tree {
    const more = Buffer.from(`\n${someFunction(random)}`);
    return replaced(tree, random, (file) => ({ mode: fileMode(file), content: Buffer.concat([file.content, more]) }));
  },
  empty(tree: Tree, random: Random): Tree {
    return replaced(tree, random, (file) => ({ mode: fileMode(file), content: Buffer.alloc(0) }));
  },
  mode(tree: Tree, random: Random): Tree {
    return replaced(tree, random, (file) => ({ ...file, mode: file.mode === '100644' ? '100755' : '100644' }));
  },
  link(tree: Tree, random: Random): Tree {
    return replaced(tree, random, () => ({ mode: '120000', content: Buffer.from('../elsewhere') }));
  },
  rename(tree: Tree, random: Random): Tree {
    const [path, file] = someFile(tree, random);
    return written(without(tree, path), somePath(random), file);
  },
  copy(tree: Tree, random: Random): Tree {
    return written(tree, somePath(random), someFile(tree, random)[1]);
  },
  'file to folder'(tree: Tree, random: Random): Tree {
    const [path, file] = someFile(tree, random);
    return written(without(tree, path), `${path}/inside.ts`, file);
  },
  delete(tree: Tree, random: Random): Tree {
    return tree.size > 3 ? without(tree, someFile(tree, random)[0]) : tree;
  },
  attributes(tree: Tree, random: Random): Tree {
    const rule = random.pick([
      'src/** linguist-generated',
      '*.py linguist-vendored',
      'docs/** -linguist-documentation',
      '',
    ]);
    if (rule === '') return without(tree, '.gitattributes');
    return written(tree, '.gitattributes', { mode: '100644', content: Buffer.from(`${rule}\n`) });
  },
};

/** A link whose content is edited becomes a file: no link points at program text. */
function fileMode({ mode }: File): File['mode'] {
  return mode === '120000' ? '100644' : mode;
}

function written(tree: Tree, path: string, file: File): Tree {
  const next = new Map(tree);
  put(next, path, file);
  return next;
}

/** Git has no folder and file of one name: the newcomer wins. */
function put(tree: Map<string, File>, path: string, file: File): void {
  for (const other of tree.keys()) {
    if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) tree.delete(other);
  }
  tree.set(path, file);
}

function without(tree: Tree, path: string): Tree {
  return new Map([...tree].filter(([other]) => other !== path));
}

function replaced(tree: Tree, random: Random, change: (file: File) => File): Tree {
  const [path, file] = someFile(tree, random);
  return written(tree, path, change(file));
}

function someFile(tree: Tree, random: Random): [string, File] {
  return random.pick([...tree].filter(([path]) => path !== '.gitattributes'));
}

function somePath(random: Random): string {
  const name = random.below(20) === 0 ? BYTES_NAME : random.pick(NAMES);
  return random.pick(FOLDERS) + name.replace(/(?=\.|$)/, String(random.below(4)));
}

function someContent(random: Random): Buffer {
  switch (random.below(12)) {
    case 0:
      return Buffer.from([0, 1, 2, random.below(256)]);
    case 1:
      return Buffer.from('\uFEFFwith a byte order mark\r\nand other line ends\r\n');
    case 2:
      return Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`);
    case 3:
      return Buffer.from(`latin1 \xe9\xff ${random.below(1_000)}\n`, 'latin1');
    default:
      return Buffer.from(Array.from({ length: 1 + random.below(12) }, () => someFunction(random)).join('\n'));
  }
}

function someFunction(random: Random): string {
  const name = `compute${random.below(1_000)}`;
  const lines = Array.from(
    { length: 2 + random.below(12) },
    (_, i) => `  const value${i} = ${name} + ${random.below(9_999)};`,
  );
  return `export function ${name}(input) {\n${lines.join('\n')}\n  return input;\n}\n`;
}

interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

/** mulberry32: the same numbers for the same seed, everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  return { below, pick: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
