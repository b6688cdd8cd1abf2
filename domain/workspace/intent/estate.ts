import type { OpenWork } from '../../forge/open-work.ts';
import { compareTexts } from '../canonical-snapshot.ts';
import type { Ecosystem } from '../package-manifest.ts';
import type { SnapshotContent, WorkspaceTopology } from '../workspace-snapshot.ts';
import { foldWord } from './words.ts';

/** A repository as intents are resolved with it. */
export interface EstateRepo {
  /** Its name in the workspace. */
  readonly name: string;
  /** `owner/repository` at its forge, or deeper; null when its origin is unknown or a folder. */
  readonly slug: string | null;
  /** The names of its packages. */
  readonly packages: readonly string[];
  /** The names of the packages that it needs. */
  readonly needs: readonly string[];
  /** Its programming languages, folded. */
  readonly languages: readonly string[];
  /** What its forge says that it is about. */
  readonly topics: readonly string[];
  /** True when it has changes that are not committed, or not pushed. */
  readonly isChanged: boolean;
}

/** The repositories that an intent can be about. */
export interface Estate {
  readonly repos: readonly EstateRepo[];
  readonly topology: WorkspaceTopology;
  /** Labels of issues that are known, in addition to the usual ones. */
  readonly labels: readonly string[];
}

/** What is known from elsewhere. */
export interface EstateFacts {
  /** Topics by name of repository. @default none */
  readonly topics?: ReadonlyMap<string, readonly string[]>;
  /** @default none */
  readonly labels?: readonly string[];
}

/** The language of the packages of an ecosystem. */
const LANGUAGES: Readonly<Record<Ecosystem, string>> = {
  npm: 'javascript',
  go: 'go',
  cargo: 'rust',
  python: 'python',
  hex: 'elixir',
};

/** What forges say, for {@link estateOf}. */
export function estateFacts(work: ReadonlyMap<string, OpenWork>): EstateFacts {
  const labels = [...work.values()].flatMap(({ items }) => items.flatMap((item) => item.labels));
  return {
    topics: new Map([...work].map(([name, { topics }]) => [name, topics])),
    labels: [...new Set(labels)].sort(compareTexts),
  };
}

/** The repositories of a workspace, for {@link resolveIntent}. */
export function estateOf(
  { repos, deps, git, topology }: SnapshotContent,
  { topics = new Map(), labels = [] }: EstateFacts = {},
): Estate {
  const states = new Map(git.map((state) => [state.repo, state]));
  const needs = new Map<string, Set<string>>();
  for (const { repo, app } of deps) needs.set(repo, (needs.get(repo) ?? new Set()).add(app));
  return {
    topology,
    labels,
    repos: repos.map(({ name, origin, packages }) => {
      const state = states.get(name);
      return {
        name,
        slug: origin === null ? null : slugOf(origin),
        packages: packages.flatMap((one) => one.name ?? []),
        needs: [...(needs.get(name) ?? [])].sort(compareTexts),
        languages: [...new Set(packages.map(({ ecosystem }) => LANGUAGES[ecosystem]))].sort(compareTexts),
        topics: (topics.get(name) ?? []).map(foldWord),
        isChanged: state !== undefined && (state['dirty?'] || state.ahead > 0),
      };
    }),
  };
}

/** `owner/repository` in the address of a remote; null for a folder. */
export function slugOf(origin: string): string | null {
  const [, path] =
    /^(?:https?|ssh|git):\/\/[^/]+\/(.+)$/.exec(origin) ?? /^(?:[^@/\s]+@)?[^:/\s]+:(?!\/\/)(.+)$/.exec(origin) ?? [];
  const slug = path
    ?.replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/^\/+/, '');
  return slug?.includes('/') ? slug : null;
}
