import { desiredSnapshot } from '../../domain/workspace/desired-snapshot.ts';
import { planWorkspace } from '../../domain/workspace/plan-workspace.ts';
import type { DesiredRepo } from '../../domain/workspace/workspace-manifest.ts';
import type { WorkspacePlan } from '../../domain/workspace/workspace-plan.ts';
import { checkPreconditions, type CheckedPrecondition } from './check-preconditions.ts';
import { cloneBytesOf } from './clone-bytes.ts';
import { excludesFile, readRepositories, type ReadWorkspaceOptions } from './read-workspace.ts';
import { type UnsavedWork, unsavedWork } from './unsaved-work.ts';
import { identifyPlan, identifySnapshot } from './workspace-ids.ts';

/** A plan for some repositories of a workspace, whose others stay as they are. */
export interface MembershipPlan {
  readonly plan: WorkspacePlan;
  /** What must hold, as the disk is now. */
  readonly checked: readonly CheckedPrecondition[];
  /** What would be lost of those that leave, by name. */
  readonly unsaved: ReadonlyMap<string, UnsavedWork>;
}

/** What becomes of the repositories. */
export interface Membership {
  /** Absolute path of the workspace, without links. */
  readonly root: string;
  readonly repos: readonly DesiredRepo[];
  /** `remove`: those that are there leave. */
  readonly does: 'add' | 'remove';
}

/** Plans that repositories are attached or leave, and compares the plan with the disk. Nothing is written. */
export async function planMembership(
  { root, repos, does }: Membership,
  options: ReadWorkspaceOptions,
): Promise<MembershipPlan> {
  const nothing = { links: [], environment: {}, ttl: null };
  const found = { manifest: { ...nothing, repositories: repos }, file: null, passedOver: [] };
  const { snapshot: current } = await readRepositories(root, found, options);
  const wanted = does === 'add' ? repos : [];
  const desired = identifySnapshot(desiredSnapshot(current, { ...nothing, repositories: wanted }));
  const content = planWorkspace(current, desired, { cloneBytes: await cloneBytesOf(desired.repos) });
  const checked = await checkPreconditions(root, content.preconditions, options);
  const unsaved = new Map<string, UnsavedWork>();
  if (does === 'remove') {
    const tree = { excludes: await excludesFile(root, options.env), signal: options.signal };
    for (const { name, absolute_path: path, 'exists?': isThere } of current.repos) {
      const work = isThere ? await unsavedWork(options.git, path, tree) : [];
      if (work.length > 0) unsaved.set(name, work);
    }
  }
  const plan = identifyPlan(content, new Date().toISOString());
  return { plan, checked, unsaved };
}
