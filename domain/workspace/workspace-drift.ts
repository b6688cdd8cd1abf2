import { workspacePath } from './desired-snapshot.ts';
import { inKeyOrder } from './canonical-snapshot.ts';
import type { WorkspaceManifest } from './workspace-manifest.ts';
import type { RepoGitState, WorkspaceSnapshot } from './workspace-snapshot.ts';
import { ownershipOf, type LinkEntry, type RepoOwnership, type WorkspaceState } from './workspace-state.ts';

/**
 * How something on the disk differs from what a workspace shall be: `missing`: it shall be there and is not;
 * `unexpected`: it is there and no manifest asks for it; `changed`: it is there, and not as it shall be.
 */
export type DriftClass = 'none' | 'missing' | 'unexpected' | 'changed';

/** How a repository differs. Keys are those of Graft's drift. */
export interface RepoDrift {
  readonly repo: string;
  readonly ownership: RepoOwnership;
  readonly classification: DriftClass;
  /** Absolute paths; null where it shall not be, or is not. */
  readonly desired_path: string | null;
  readonly observed_path: string | null;
  /** One sentence each. */
  readonly details: readonly string[];
}

/** How a link differs. */
export interface LinkDrift {
  readonly repo: string;
  readonly dep: string;
  readonly classification: DriftClass;
  readonly details: readonly string[];
}

/** What a workspace on the disk is compared with. */
export interface DriftFacts {
  readonly manifest: WorkspaceManifest;
  readonly state: WorkspaceState;
  /** The folders of managed repositories that no manifest asks for, and that are there. */
  readonly leftOver: readonly string[];
  /** The texts of the files of the state's entries, by path; those that cannot be read are left out. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Compares the repositories of a workspace with its manifest and its state. In the order of names. */
export function repoDrift(
  { root, repos, git }: WorkspaceSnapshot,
  { manifest, state, leftOver }: DriftFacts,
): readonly RepoDrift[] {
  const found = new Map(repos.map((repo) => [repo.name, repo]));
  const states = new Map(git.map((one) => [one.repo, one]));
  const desired = manifest.repositories.map(({ name, path, origin, branch }): RepoDrift => {
    const repo = found.get(name);
    const there = workspacePath(root, path);
    const base = { repo: name, ownership: ownershipOf(state, path), desired_path: there };
    if (repo?.['exists?'] !== true)
      return { ...base, classification: 'missing', observed_path: null, details: [`There is no folder ${there}.`] };
    const details = differences(states.get(name), { origin, branch }, repo.origin);
    return { ...base, classification: details.length === 0 ? 'none' : 'changed', observed_path: there, details };
  });
  const wanted = new Set(manifest.repositories.map(({ path }) => path));
  const others = state.repos
    .filter(({ path }) => !wanted.has(path))
    .map(({ name: repo, path, plan }): RepoDrift => {
      const there = workspacePath(root, path);
      const base = { repo, ownership: 'managed' as const, desired_path: null };
      return leftOver.includes(path)
        ? {
            ...base,
            classification: 'unexpected',
            observed_path: there,
            details: [`The plan ${plan} has attached it, and the manifest does not ask for it any more.`],
          }
        : { ...base, classification: 'none', observed_path: null, details: [] };
    });
  return inKeyOrder([...desired, ...others], ({ repo }) => [repo]);
}

function differences(
  state: RepoGitState | undefined,
  wanted: { readonly origin: string | null; readonly branch: string | null },
  origin: string | null,
): readonly string[] {
  const isWanted = wanted.origin !== null || wanted.branch !== null;
  if (state === undefined || !state['is_git_repo?'])
    return isWanted ? [`It is no repository that git can read: ${state?.error ?? 'not_a_repo'}.`] : [];
  const details: string[] = [];
  if (wanted.origin !== null && origin !== wanted.origin)
    details.push(`Its origin is ${origin ?? 'none'} instead of ${wanted.origin}.`);
  if (wanted.branch !== null && state.branch !== wanted.branch)
    details.push(`It is on ${state.branch ?? 'no branch'} instead of ${wanted.branch}.`);
  return details;
}

/**
 * Compares the links of a workspace with its manifest and its state. A link that a repository declares itself, and that
 * neither asks for, is none of the workspace's. In the order of names.
 */
export function linkDrift({ links }: WorkspaceSnapshot, { manifest, state, texts }: DriftFacts): readonly LinkDrift[] {
  const there = new Set(links.map(({ repo, dep }) => `${repo}/${dep}`));
  const recorded = state.entries.map((entry): LinkDrift => {
    const { repo, target_app: dep } = entry;
    return { repo, dep, ...entryDrift(entry, texts.get(entry.mix_exs_path)) };
  });
  const known = new Set(recorded.map(({ repo, dep }) => `${repo}/${dep}`));
  const wanted = (manifest.links ?? [])
    .filter(({ from, to }) => !known.has(`${from}/${to}`))
    .map(({ from: repo, to: dep }): LinkDrift => {
      const isThere = there.has(`${repo}/${dep}`);
      const details = isThere ? [] : [`${repo} does not take ${dep} from its folder.`];
      return { repo, dep, classification: isThere ? 'none' : 'missing', details };
    });
  const asked = new Set([...known, ...(manifest.links ?? []).map(({ from, to }) => `${from}/${to}`)]);
  const others = links
    .filter(({ repo, dep, files }) => manifest.links !== null && files.length > 0 && !asked.has(`${repo}/${dep}`))
    .map(({ repo, dep, files }): LinkDrift => ({
      repo,
      dep,
      classification: 'unexpected',
      details: [`${files.join(', ')} links them, and the manifest does not ask for it any more.`],
    }));
  return inKeyOrder([...recorded, ...wanted, ...others], ({ repo, dep }) => [repo, dep]);
}

/** Only the declaration counts: other parts of the file are its owner's to change. */
function entryDrift(
  { mix_exs_path: path, preimage, replacement }: LinkEntry,
  text: string | undefined,
): Pick<LinkDrift, 'classification' | 'details'> {
  if (text === undefined) return { classification: 'changed', details: [`${path} cannot be read.`] };
  if (text.includes(replacement)) return { classification: 'none', details: [] };
  if (text.includes(preimage))
    return { classification: 'missing', details: [`${path} has ${preimage} again instead of ${replacement}.`] };
  return { classification: 'changed', details: [`${path} has neither ${replacement} nor ${preimage}.`] };
}
