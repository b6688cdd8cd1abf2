import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { desiredSnapshot } from '../../../domain/workspace/desired-snapshot.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import { secondsOfTtl } from '../../../domain/workspace/time-to-live.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { createGit } from '../../git/git.ts';
import { heartbeating } from '../../shared/heartbeating.ts';
import { refuseOtherPlaces } from '../allowed-place.ts';
import { cloneBytesOf } from '../clone-bytes.ts';
import { bytesOf, type HostTools, type WorkspaceOfHost } from '../host-activities.ts';
import { readWorkState } from '../quarantine/work-state.ts';
import { excludesFile, readWorkspace } from '../read-workspace.ts';
import { identifyPlan, identifySnapshot } from '../workspace-ids.ts';
import { lookAtWorkspace, type WorkspaceLook } from './look-at-workspace.ts';
import { wantedManifest } from './wanted-manifest.ts';

/** Activities of the role `host:<name>` for the life of a workspace. */
export interface PrepareActivities {
  /** What the manifest of a workspace asks for, as the plan with this digest changes it; null for no plan. */
  readRequirements(
    input: WorkspaceOfHost & { readonly plan: string | null },
  ): Promise<{ readonly repos: readonly string[]; readonly ttlSeconds: number | null }>;
  /** The state of a workspace, and the plan to what its manifest says, in the blob store; null when there is nothing to do. */
  planPreparation(
    input: WorkspaceOfHost,
  ): Promise<{ readonly id: string; readonly plan: string | null; readonly operations: number }>;
  /** What a workspace has that only this disk has, as a digest: work changes it. */
  digestOfWork(input: WorkspaceOfHost): Promise<string>;
  /**
   * Looks at a workspace every `checkSeconds` until it is not as `seen` says, for at most `hours`. Returns the last look.
   */
  watchWorkspace(
    input: WorkspaceOfHost & {
      readonly seen: string | null;
      readonly plan: string | null;
      readonly checkSeconds: number;
      readonly hours: number;
    },
  ): Promise<WorkspaceLook>;
}

/** Creates the activities. */
export function createPrepareActivities({ host, blobs, ...tools }: HostTools): PrepareActivities {
  const { dataDir, cacheDir, env } = tools;
  const planIn = async (plan: string | null): Promise<Buffer | null> => (plan === null ? null : bytesOf(blobs, plan));
  return {
    readRequirements: ({ root, plan }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const { manifest } = await wantedManifest(real, await planIn(plan), signal);
        const { repositories, ttl } = manifest;
        return { repos: repositories.map(({ name }) => name), ttlSeconds: ttl === null ? null : secondsOfTtl(ttl) };
      }),
    planPreparation: ({ root }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const { snapshot, manifest } = await readWorkspace(real, { git: createGit(cacheDir, env), env, signal });
        const desired = identifySnapshot(desiredSnapshot(snapshot, manifest));
        const facts = { environment: manifest.environment, cloneBytes: await cloneBytesOf(desired.repos) };
        const content = planWorkspace(snapshot, desired, facts);
        const operations = content.operations.length;
        if (operations === 0) return { id: snapshot.id, plan: null, operations };
        const text = `${canonicalText(identifyPlan(content, new Date().toISOString()))}\n`;
        const { digest } = await blobs.put(Readable.from([Buffer.from(text)]));
        return { id: snapshot.id, plan: digest, operations };
      }),
    digestOfWork: ({ root }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const git = createGit(cacheDir, env);
        const { snapshot } = await readWorkspace(real, { git, env, signal });
        const options = { excludes: await excludesFile(real, env), signal };
        const each: string[] = [];
        for (const state of snapshot.git.filter(({ 'is_git_repo?': isRepository }) => isRepository)) {
          each.push(`${state.repo} ${(await readWorkState(git, state.repo_path, options)).fingerprint}`);
        }
        return sha256(each.join('\n'));
      }),
    watchWorkspace: ({ root, seen, plan, checkSeconds, hours }) =>
      heartbeating(async (signal) => {
        const made = await planIn(plan);
        const ends = performance.now() + hours * 3_600_000;
        for (;;) {
          const real = await refuseOtherPlaces(host, root);
          const look = await lookAtWorkspace(real, made, { dataDir, cacheDir, env, signal });
          if (look.seen !== seen || performance.now() > ends) return look;
          await delay(checkSeconds * 1_000, undefined, { signal });
        }
      }),
  };
}
