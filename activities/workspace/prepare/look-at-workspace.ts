import { realpath } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { createGit } from '../../git/git.ts';
import { hasOpenPlan, type PlanSite } from '../plan-run.ts';
import { readDrift } from '../read-drift.ts';
import { readRepositories } from '../read-workspace.ts';
import { workspacesOfHost } from '../workspace-registration.ts';
import { wantedManifest } from './wanted-manifest.ts';

/** What a look at a workspace has found. */
export interface WorkspaceLook {
  /** A digest of it: another one when something has changed that a repair may be about. */
  readonly seen: string;
  /** True when it is not as its manifest says. */
  readonly isDrifted: boolean;
  /** True when it has ended, or its folder is gone. */
  readonly isGone: boolean;
  /** Names of the repositories that it shall have; null while that cannot be said, as a person or a plan changes it. */
  readonly repos: readonly string[] | null;
}

/**
 * Looks at the workspace at a real path: by bytes, never by times, and work in its repositories is no change. A manifest that
 * cannot be read is one that has changed: a person is writing it. While a plan is in progress nothing is drift. `plan`: the file
 * of the plan that it was made by; null for none.
 */
export async function lookAtWorkspace(
  root: string,
  plan: Uint8Array | string | null,
  { dataDir, cacheDir, env, signal }: Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'signal'>,
): Promise<WorkspaceLook> {
  const isThere = (await realpath(root).catch(absent)) === root;
  if (!isThere || !(await workspacesOfHost(dataDir)).includes(root))
    return { seen: 'gone', isDrifted: false, isGone: true, repos: null };
  try {
    const options = { git: createGit(cacheDir, env), env, signal };
    const read = await readRepositories(root, await wantedManifest(root, plan, signal), options);
    const { repos, links } = await readDrift(read);
    const drift = [...repos, ...links].filter(({ classification }) => classification !== 'none');
    const waiting = read.snapshot.git.flatMap(({ repo, in_progress: what }) => (what === 'none' ? [] : [repo, what]));
    const isOpen = await hasOpenPlan(root, dataDir);
    const isDrifted = !isOpen && drift.length + waiting.length > 0;
    const names = isOpen ? null : read.manifest.repositories.map(({ name }) => name);
    return {
      seen: sha256(JSON.stringify([read.manifest, drift, waiting, isOpen])),
      isDrifted,
      isGone: false,
      repos: names,
    };
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type === 'GitUnusable') throw error;
    return { seen: sha256(error.message), isDrifted: false, isGone: false, repos: null };
  }
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
