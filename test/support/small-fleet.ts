import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitTree, git, initRepository, type ScratchFile } from './scratch-git.ts';

/** The states that every repository of a fleet can be set to. */
export const FLEET_STATES = ['early', 'late'] as const;
export type FleetState = (typeof FLEET_STATES)[number];

/** Two repositories for a local provider and one for a forge, below the folder of their provider. */
const REPOSITORIES = ['local/acme/operators', 'local/acme/shell', 'forge/acme/matcher'] as const;

type Tree = Map<string, ScratchFile>;

/**
 * Makes three small repositories of real sources below `root`, each with an early and a late state, and a branch `side`
 * that stays at the early one: between the two are edits, additions, renames (one of them of case only), deletions, a
 * changed mode and a link; a revert; a force-push to another history.
 */
export function makeSmallFleet(root: string): void {
  const [operators, shell, matcher] = REPOSITORIES.map((name) => initRepository(join(root, `${name}.git`), '--bare'));
  if (!operators || !shell || !matcher) return;

  const operating = sourcesOf('rxjs/dist/esm/internal/operators', 110);
  state(operators, 'early', commitTree(operators, operating));
  state(operators, 'late', commitTree(operators, rearranged(operating)));

  const commands = sourcesOf('commander/lib', 10);
  commitTree(shell, commands);
  state(shell, 'early', commitTree(shell, edited(commands)));
  state(shell, 'late', commitTree(shell, commands));

  const matching = sourcesOf('pino/lib', 6);
  state(matcher, 'early', commitTree(matcher, matching));
  state(
    matcher,
    'late',
    commitTree(matcher, new Map([...edited(matching), ...sourcesOf('p-limit', 1)]), { orphan: true }),
  );
  setFleet(root, 'early');
}

/** Moves every HEAD of the fleet to its early or late state. */
export function setFleet(root: string, to: FleetState): void {
  for (const name of REPOSITORIES) {
    git(join(root, `${name}.git`), 'update-ref', 'refs/heads/main', `refs/states/${to}`);
  }
}

function state(repository: string, name: FleetState, commit: string): void {
  git(repository, 'update-ref', `refs/states/${name}`, commit);
  if (name === 'early') git(repository, 'update-ref', 'refs/heads/side', commit);
}

function sourcesOf(packageFolder: string, limit: number): Tree {
  const folder = new URL(`../../node_modules/${packageFolder}/`, import.meta.url);
  const names = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => /\.m?js$/.test(name))
    .sort()
    .slice(0, limit);
  return new Map(names.map((name) => [`src/${name}`, plain(readFileSync(new URL(name, folder)))]));
}

function plain(content: Uint8Array | string): ScratchFile {
  return { mode: '100644', content };
}

function edited(tree: Tree): Tree {
  const next = new Map(tree);
  for (const [path, { mode, content }] of [...tree].slice(0, 3)) {
    next.set(path, { mode, content: `${String(content)}\nexport const revision = ${JSON.stringify(path)};\n` });
  }
  return next;
}

function rearranged(tree: Tree): Tree {
  const next = edited(tree);
  const [moved, cased, executable, linked, ...rest] = [...tree.keys()].slice(3);
  for (const path of [moved, cased, linked]) next.delete(path ?? '');
  next.set('lib/moved.js', tree.get(moved ?? '') ?? plain(''));
  next.set(`src/${(cased ?? '').slice(4).toUpperCase()}`, tree.get(cased ?? '') ?? plain(''));
  next.set(executable ?? '', { mode: '100755', content: tree.get(executable ?? '')?.content ?? '' });
  next.set(linked ?? '', { mode: '120000', content: '../elsewhere' });
  for (const path of rest.slice(0, 8)) next.delete(path);
  next.set('src/added.mjs', plain('export function added(first, second) {\n  return first + second;\n}\n'));
  return next;
}
