import { expect, test } from 'vitest';
import { diagnose } from '../../../domain/workspace/workspace-diagnostics.ts';
import { manifestOf } from '../../../domain/workspace/workspace-manifest.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

/** The remarks on a workspace whose manifest says that every repository comes from `origin`. */
function remarks(snapshot: SnapshotContent, origin: string | null = null): readonly string[] {
  const { repositories, ...rest } = manifestOf(snapshot.repos);
  const manifest = { ...rest, repositories: repositories.map((repo) => ({ ...repo, origin })) };
  return diagnose(snapshot, manifest).map(
    ({ severity, repo, kind, message }) => `${severity} ${repo} ${kind}: ${message}`,
  );
}

const withError = (snapshot: SnapshotContent, error: string): SnapshotContent => ({
  ...snapshot,
  git: snapshot.git.map((state) => ({ ...state, error })),
});

test('nothing is wrong with a workspace in which all is there', () => {
  const origin = 'https://git.example/a';
  expect(remarks(madeSnapshot([{ name: 'a', origin: `${origin}.git` }]), `${origin}/`)).toEqual([]);
});

test('a repository is missing', () => {
  const snapshot = madeSnapshot([{ name: 'a', isMissing: true }]);
  expect(remarks(snapshot)).toEqual([
    'warning a repo_missing: There is no folder a: no origin says where to clone it from.',
  ]);
  const from = 'https://git.example/a.git';
  expect(remarks(snapshot, from)).toEqual([
    `warning a repo_missing: There is no folder a: it can be cloned from ${from}.`,
  ]);
});

test('a folder is no repository, or git cannot read it', () => {
  const snapshot = madeSnapshot([{ name: 'a' }]);
  expect(remarks(withError(snapshot, 'not_a_repo'))).toEqual([
    'warning a not_a_repository: a is no git repository with files.',
  ]);
  expect(remarks(withError(snapshot, 'bad index'))).toEqual(['error a git_unreadable: Git cannot read a: bad index']);
});

test('a clone comes from elsewhere', () => {
  const snapshot = madeSnapshot([{ name: 'a', origin: 'https://git.example/fork/a.git' }]);
  expect(remarks(snapshot, 'https://git.example/a.git')).toEqual([
    'warning a origin_differs: a was cloned from https://git.example/fork/a.git, and the manifest says https://git.example/a.git.',
  ]);
});

test('a version does not fit, and repositories need each other', () => {
  const deps = [
    ['web', 'core'],
    ['core', 'web'],
    ['core', 'core'],
  ] as const;
  const repos = [{ name: 'web' }, { name: 'core', packages: [{ name: 'core', version: '2.0.0' }] }];
  expect(remarks(madeSnapshot(repos, { deps }))).toEqual([
    'info web version_does_not_fit: package.json needs core ^1.0.0, and core has 2.0.0.',
    'warning null cycle: These repositories need each other: core, web.',
  ]);
});
