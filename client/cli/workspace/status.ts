import { createGit } from '../../../activities/git/git.ts';
import { readDrift, type ReadDrift } from '../../../activities/workspace/read-drift.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { FAILURES } from '../../../domain/shared/failures.ts';
import type { RepoGitState, WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';
import { workspaceStatus } from '../../../domain/workspace/workspace-status.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliContext } from '../../core/context.ts';
import { printList } from '../../core/print-list.ts';
import { printable } from '../../core/sanitize.ts';

/** Options of `longhaul workspace status`. */
export interface WorkspaceStatusOptions {
  readonly root: string;
  /** The file that gets the snapshot. @default none */
  readonly snapshot?: string;
  /** Also compare it with its manifest and its state: exit code 1 when something differs. @default false */
  readonly drift?: boolean;
  /** Print Graft's JSON. @default false */
  readonly json?: boolean;
}

/** `longhaul workspace status`: a table and the remarks, or Graft's JSON. */
export async function workspaceStatusCommand(context: CliContext, options: WorkspaceStatusOptions): Promise<number> {
  const { stdout, cacheDir, env } = context;
  const read = await readWorkspace(options.root, { git: createGit(cacheDir, env), env });
  const { snapshot, file, manifest } = read;
  if (options.snapshot !== undefined) await writeWhole(options.snapshot, `${JSON.stringify(snapshot, null, 2)}\n`);
  const { json = false } = options;
  const drift = await readDrift(read);
  const isDrifted = [...drift.repos, ...drift.links].some(({ classification }) => classification !== 'none');
  const exitCode = options.drift && isDrifted ? FAILURES.DriftDetected.exitCode : 0;
  if (json) {
    // Graft's programs read exactly its keys, so others are only there when they are asked for
    const status = workspaceStatus(snapshot);
    const shown = options.drift
      ? { ...status, drift, links: snapshot.links.map(({ repo, dep }) => ({ repo, dep })) }
      : status;
    stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return exitCode;
  }
  const from = file === null ? 'the repositories that are there' : `as ${file} says`;
  const ttl = manifest.ttl === null ? '' : `, for ${manifest.ttl}`;
  stdout.write(`${printable(snapshot.root)}, ${from}${ttl}\n`);
  if (snapshot.repos.length === 0) stdout.write('There are no repositories in it.\n');
  else await printList(context, rowsOf(snapshot, drift), { json }, { head: HEAD, row: (row) => row });
  for (const { severity, repo, message, file: at, line } of snapshot.diagnostics) {
    const place = [repo, at, line].filter((part) => part !== null).join(':');
    stdout.write(`${severity}${place === '' ? '' : ` ${printable(place)}`}: ${printable(message)}\n`);
  }
  for (const { repo, details } of [...drift.repos, ...drift.links]) {
    for (const each of details) stdout.write(`drift ${printable(repo)}: ${printable(each)}\n`);
  }
  return exitCode;
}

const HEAD = ['repository', 'branch', 'upstream', 'state', 'needs', 'links to', 'drift'];

/** One row for each repository, those that are needed first. */
function rowsOf({ repos, git, links, topology }: WorkspaceSnapshot, drift: ReadDrift): string[][] {
  const states = new Map(git.map((state) => [state.repo, state]));
  const byName = new Map(repos.map((repo) => [repo.name, repo]));
  return topology.topological_order.map((name) => {
    const [repo, state] = [byName.get(name), states.get(name)];
    const linked = links.filter((link) => link.repo === name).map(({ dep }) => dep);
    return [
      repo === undefined || repo.path === name ? name : `${name} (${repo.path})`,
      state?.branch ?? (state?.['detached_head?'] ? `at ${state.head_sha?.slice(0, 12)}` : ''),
      upstreamOf(state),
      stateOf(repo?.['exists?'] ?? false, state),
      (topology.providers[name] ?? []).join(', '),
      linked.join(', '),
      driftOf(name, drift),
    ];
  });
}

/** The class of a repository and of its links: `changed, link to core missing`; nothing where all is as it shall be. */
function driftOf(name: string, { repos, links }: ReadDrift): string {
  const own = repos.flatMap(({ repo, classification }) => (repo === name ? [classification] : []));
  const linked = links.flatMap(({ repo, dep, classification }) =>
    repo === name && classification !== 'none' ? [`link to ${dep} ${classification}`] : [],
  );
  return [...own.filter((each) => each !== 'none'), ...linked].join(', ');
}

function upstreamOf(state: RepoGitState | undefined): string {
  if (state === undefined || state.upstream === null) return '';
  const { upstream, ahead, behind } = state;
  if (ahead === 0 && behind === 0) return upstream;
  const counts = [ahead > 0 ? `${ahead} ahead` : '', behind > 0 ? `${behind} behind` : ''].filter(Boolean);
  return `${upstream}, ${counts.join(', ')}`;
}

function stateOf(isThere: boolean, state: RepoGitState | undefined): string {
  if (!isThere) return 'missing';
  if (state === undefined || !state['is_git_repo?'])
    return state?.error === 'not_a_repo' ? 'no repository' : 'unreadable';
  const operation = state.in_progress === 'none' ? '' : `, ${state.in_progress.replace('_', '-')} in progress`;
  return `${state['dirty?'] ? 'changed' : 'clean'}${operation}`;
}
