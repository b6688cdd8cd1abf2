import { commitHeader, fileHeader, git, importRepository } from '../../examples/git.ts';

/** One move of HEAD. */
export interface WalkStep {
  /** What happened to the history, and to the files: for the message of a test that fails. */
  readonly what: string;
  /** Where HEAD is after it; zeros when its branch is gone. */
  readonly commit: string;
  /** The branch that HEAD names. */
  readonly branch: string;
}

interface File {
  readonly mode: '100644' | '100755' | '120000' | '160000';
  /** For a submodule the name of its commit. */
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
/** Where submodules are: one of them where other states have a folder. */
const SUBMODULES = ['modules/lib', 'docs', 'src/sub'];
/** What happens at least once in every walk. */
const RARE_STEPS = ['merge', 'revert', 'reset', 'rewrite', 'emptied', 'branch gone', 'branch renamed'] as const;
const NO_COMMIT = '0'.repeat(40);
/** Not UTF-8: the lone surrogate stands for the byte 0xff. */
const BYTES_NAME = 'by\udcfftes.ts';

/**
 * Makes a bare repository at `gitDir` whose HEAD can be led through `steps` states: commits that add, change, rename,
 * copy and delete files, change modes and types, submodules; merges; reverts; force-pushes back and to another history;
 * a tree without files, a branch that is gone or has another name. All of it happens in every walk that is long enough;
 * the same seed makes the same oids. HEAD is left at the first state; {@link moveHead} leads it on.
 */
export async function makeRandomWalk(
  gitDir: string,
  { seed, steps }: { seed: number; steps: number },
): Promise<WalkStep[]> {
  const walk = plan(randomFrom(seed), steps);
  const oids = await importRepository(gitDir, stream(walk));
  return walk.map(({ what, branch, isGone }, index) => ({
    what,
    branch,
    commit: isGone ? NO_COMMIT : (oids[index] ?? ''),
  }));
}

/** Points HEAD at a state of the walk, as a push, a force-push or a renamed branch would. */
export async function moveHead(gitDir: string, { commit, branch }: WalkStep): Promise<void> {
  const run = (...args: string[]): Promise<string> => git([`--git-dir=${gitDir}`, ...args]);
  const refs = (await run('for-each-ref', '--format=%(refname)')).split('\n').filter((ref) => ref !== '');
  const ref = `refs/heads/${branch}`;
  if (commit !== NO_COMMIT) await run('update-ref', ref, commit);
  await run('symbolic-ref', 'HEAD', ref);
  for (const other of refs) if (other !== ref || commit === NO_COMMIT) await run('update-ref', '-d', other);
}

interface PlannedStep {
  readonly what: string;
  readonly head: Commit;
  /** The commits that the step needs and no earlier one has made. */
  readonly made: readonly Commit[];
  readonly branch: string;
  readonly isGone: boolean;
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
  let branch = 'main';
  const walk: PlannedStep[] = [{ what: 'first commit', head, made: [head], branch, isGone: false }];
  const due = random.shuffled(RARE_STEPS);
  const dueEdits = random.shuffled(Object.keys(EDITS) as EditName[]);
  const edit = (before: Tree): { tree: Tree; what: string } => edited(before, random, dueEdits.splice(0, 2));

  while (walk.length < steps) {
    const before = commits.length;
    const rare = walk.length % 2 === 0 ? due.pop() : undefined;
    let what: string = rare ?? random.pick(['commit', 'commit', 'commit', 'commit', ...RARE_STEPS]);
    const isGone = what === 'branch gone';
    const earlier = ancestor(head, 1 + random.below(3));
    switch (what) {
      case 'merge': {
        const ours = edit(head.tree);
        const theirs = edit(earlier.tree);
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
      case 'emptied':
        head = commit(new Map(), head);
        break;
      case 'branch gone':
        break;
      case 'branch renamed':
        branch = branch === 'main' ? 'trunk' : 'main';
        break;
      case 'rewrite':
      default: {
        const { tree: next, what: edits } = edit(head.tree);
        head = commit(next, what === 'rewrite' ? earlier : head);
        what += ` of ${edits}`;
      }
    }
    walk.push({ what, head, made: commits.slice(before), branch, isGone });
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
        if (mode === '160000') {
          yield `M 160000 ${content.toString()} ${path}\n`;
          continue;
        }
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

type EditName = keyof typeof EDITS;

function edited(tree: Tree, random: Random, due: readonly EditName[]): { tree: Tree; what: string } {
  const names = Object.keys(EDITS) as EditName[];
  const usual = ['add', 'add', 'change', 'change', 'change', 'rename'] as const;
  const more = Array.from({ length: 1 + random.below(4) }, () => random.pick([...names, ...usual]));
  const chosen = [...due, ...more];
  const next = chosen.reduce(
    (before, name) => EDITS[filesOf(before).length === 0 ? 'add' : name](before, random),
    tree,
  );
  return { tree: next, what: chosen.join(' + ') };
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
  'rename of case only'(tree: Tree, random: Random): Tree {
    const [path, file] = someFile(tree, random);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    return written(without(tree, path), path.slice(0, path.length - name.length) + other, file);
  },
  submodule(tree: Tree, random: Random): Tree {
    const path = random.pick(SUBMODULES);
    if (tree.get(path)?.mode === '160000' && random.below(2) === 0) return without(tree, path);
    const commit = String(random.below(1_000)).padStart(40, 'c');
    return written(tree, path, { mode: '160000', content: Buffer.from(commit) });
  },
  pointer(tree: Tree, random: Random): Tree {
    const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize ${random.below(9_999)}\n`;
    return replaced(tree, random, (file) => ({ mode: fileMode(file), content: Buffer.from(text) }));
  },
  'name of other bytes'(tree: Tree, random: Random): Tree {
    return written(tree, random.pick(FOLDERS) + BYTES_NAME, { mode: '100644', content: someContent(random) });
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
  return random.pick(filesOf(tree));
}

function filesOf(tree: Tree): [string, File][] {
  return [...tree].filter(([path, { mode }]) => path !== '.gitattributes' && mode !== '160000');
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
  shuffled<T>(list: readonly T[]): T[];
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
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  function shuffled<T>(list: readonly T[]): T[] {
    const keyed = list.map((value) => ({ value, key: below(1_000_000) }));
    return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }
  return { below, pick, shuffled };
}
