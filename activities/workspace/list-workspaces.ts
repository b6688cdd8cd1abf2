import { realpath } from 'node:fs/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { createGit } from '../git/git.ts';
import { diskUse, type DiskUse } from './disk-use.ts';
import { hasOpenPlan, type PlanSite } from './plan-run.ts';
import { readDrift } from './read-drift.ts';
import { readWorkspace } from './read-workspace.ts';
import { workspacesOfHost } from './workspace-registration.ts';

/** A workspace that this host knows. */
export interface KnownWorkspace {
  /** The name of its folder. */
  readonly name: string;
  readonly root: string;
  /**
   * `ready`: as its manifest says; `drifted`: not so; `in progress`: a plan is being applied, or waits to be continued;
   * `unreadable`: `problem` says why; `gone`: the folder is not there any more.
   */
  readonly state: 'ready' | 'drifted' | 'in progress' | 'unreadable' | 'gone';
  readonly problem: string | null;
  readonly repositories: number;
  /** Repositories with changes that are not committed, or files that git does not track. */
  readonly dirty: number;
  /** Commits that the upstreams lack, and commits that they have in addition, of all repositories. */
  readonly ahead: number;
  readonly behind: number;
  /** Repositories and links that differ from the manifest. */
  readonly drift: number;
  /** How long it shall live, as the manifest says; null for as long as it is needed. */
  readonly ttl: string | null;
  readonly disk: DiskUse;
}

const NOTHING = {
  problem: null,
  repositories: 0,
  dirty: 0,
  ahead: 0,
  behind: 0,
  drift: 0,
  ttl: null,
  disk: { bytes: 0, shared: 0 },
} as const;

/** The workspaces that plans have changed on this host and that have not ended, by their root. Nothing is written. */
export async function listWorkspaces(
  site: Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'signal'>,
): Promise<readonly KnownWorkspace[]> {
  const roots = await workspacesOfHost(site.dataDir);
  const known: KnownWorkspace[] = [];
  for (const root of roots.toSorted()) known.push(await lookAt(root, site));
  return known;
}

async function lookAt(
  root: string,
  { dataDir, cacheDir, env, signal }: Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'signal'>,
): Promise<KnownWorkspace> {
  const place = { name: root.slice(root.lastIndexOf('/') + 1), root };
  // a link in its place is another workspace
  if ((await realpath(root).catch(absent)) !== root) return { ...place, ...NOTHING, state: 'gone' };
  const disk = await diskUse(root, signal);
  try {
    const read = await readWorkspace(root, { git: createGit(cacheDir, env), env, signal });
    const { repos, links } = await readDrift(read);
    const { git } = read.snapshot;
    const drift = [...repos, ...links].filter(({ classification }) => classification !== 'none').length;
    const isOpen = await hasOpenPlan(root, dataDir);
    return {
      ...place,
      state: isOpen ? 'in progress' : drift > 0 ? 'drifted' : 'ready',
      problem: null,
      repositories: read.snapshot.repos.length,
      dirty: git.filter((state) => state['dirty?']).length,
      ahead: git.reduce((sum, { ahead }) => sum + ahead, 0),
      behind: git.reduce((sum, { behind }) => sum + behind, 0),
      drift,
      ttl: read.manifest.ttl,
      disk,
    };
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type === 'GitUnusable') throw error;
    return { ...place, ...NOTHING, disk, state: 'unreadable', problem: error.message };
  }
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
