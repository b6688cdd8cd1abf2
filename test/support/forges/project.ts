import { createHash } from 'node:crypto';
import type { Who } from './write-place.ts';

/** A comment, issue or pull request, release and so on in the memory of a test's forge. */
export interface ProjectState {
  /** Account names by token. */
  readonly accounts: Readonly<Record<string, Who | 'other'>>;
  readonly commit: string;
  readonly branches: Set<string>;
  readonly tags: Set<string>;
  readonly issues: Map<number, ProjectIssue>;
  readonly pulls: ProjectPull[];
  /** In the order of their creation. */
  readonly comments: ProjectComment[];
  readonly labels: Map<string, { readonly color: string; readonly description: string }>;
  readonly checks: ProjectCheck[];
  readonly releases: ProjectRelease[];
  next: number;
}

/** An issue; a pull request has one with its number. */
export interface ProjectIssue {
  readonly number: number;
  readonly labels: Set<string>;
}

/** A pull request. */
export interface ProjectPull {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  readonly isFork: boolean;
  readonly author: string;
  title: string;
  body: string;
  state: 'open' | 'closed';
}

/** A comment. */
export interface ProjectComment {
  readonly id: number;
  readonly on: number;
  readonly author: string;
  body: string;
}

/** A state of a check. */
export interface ProjectCheck {
  readonly commit: string;
  readonly name: string;
  readonly state: string;
  description: string;
  url: string | null;
}

/** A release. */
export interface ProjectRelease {
  readonly id: number;
  readonly tag: string;
  title: string;
  notes: string;
  isPrerelease: boolean;
  isLatest: boolean;
  assets: ProjectAsset[];
}

/** An asset. */
export interface ProjectAsset {
  readonly id: number;
  readonly name: string;
  readonly content: Buffer;
  readonly isComplete: boolean;
}

/** The token of an account. */
export function tokenOf(who: Who | 'other'): string {
  return `s3cret-T0ken-of-${who}`;
}

/** A project with a commit on `main`. */
export function newProject(): ProjectState {
  const everyone = ['writer', 'reader', 'outsider', 'other'] as const;
  return {
    accounts: Object.fromEntries(everyone.map((who) => [tokenOf(who), who])),
    commit: createHash('sha1').update('commit').digest('hex'),
    branches: new Set(['main']),
    tags: new Set(),
    issues: new Map(),
    pulls: [],
    comments: [],
    labels: new Map(),
    checks: [],
    releases: [],
    next: 1,
  };
}

/** Adds an issue, or the issue of a pull request. */
export function addIssue(project: ProjectState): number {
  const number = project.next++;
  project.issues.set(number, { number, labels: new Set() });
  return number;
}

/** Adds a pull request. */
export function addPull(project: ProjectState, pull: Omit<ProjectPull, 'number' | 'state'>): ProjectPull {
  const added: ProjectPull = { ...pull, number: addIssue(project), state: 'open' };
  project.pulls.push(added);
  return added;
}

/** The SHA-256 of a content in hex. */
export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
