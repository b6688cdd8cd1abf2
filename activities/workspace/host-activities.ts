import { repositoryOfRemote } from '../../domain/config/remote.ts';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import type { ApplyPlanResult } from '../../domain/workspace/flows/apply-plan-flow.ts';
import type { HostConfig } from '../../domain/workspace/host.schema.ts';
import type { WorkspaceDelta } from '../../domain/workspace/workspace-delta.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { runningFlow } from '../shared/running-flow.ts';
import { refuseOtherPlaces, refuseOtherPrograms, refuseOutside } from './allowed-place.ts';
import { applyWorkspacePlan, type CheckedPlan, checkWorkspacePlan, undoWorkspacePlan } from './apply-plan.ts';
import { fewSentences } from './few-sentences.ts';
import type { PlanSite } from './plan-run.ts';

/** Tools of the activities of a machine. */
export interface HostTools extends Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'openMgit'> {
  /** What may be done on it. */
  readonly host: HostConfig;
  readonly blobs: BlobStore;
  readonly providers: readonly ProviderConfig[];
}

/** A workspace of this machine. */
export interface WorkspaceOfHost {
  readonly root: string;
}

/** A plan for a workspace. */
export interface PlanOfHost extends WorkspaceOfHost {
  /** SHA-256 of the plan in the blob store. */
  readonly plan: string;
}

/** A plan that was looked at on the machine. */
export interface PermittedPlan extends CheckedPlan {
  /** The person who must approve it; null when it needs no approval. */
  readonly owner: string | null;
}

/** Activities of the role `host:<name>`: they alone change workspaces, on the disk of this machine. */
export interface HostActivities {
  /**
   * Looks at a plan: whether this machine allows it, and whether its preconditions hold. Changes nothing. Throws
   * `NotAllowedHere`, `PlanPreconditionFailed`, `InvalidInput` for a plan that was edited, or that is older than
   * `maxAgeSeconds` at `now` (ISO 8601) or was made more than a minute after that.
   */
  checkPlan(
    input: PlanOfHost & { readonly maxAgeSeconds: number | null; readonly now: string },
  ): Promise<PermittedPlan>;
  /** Applies a plan, all of it or nothing. Lists in the result have at most 50 entries, and then how many more there are. */
  executePlan(input: PlanOfHost): Promise<Omit<ApplyPlanResult, 'operations'>>;
  /**
   * Undoes the plan with this id that was begun and did not end; does nothing when that one is not in progress. Returns
   * `committed` for one whose operations had all succeeded. Throws `UndoFailed` with what is left.
   */
  undoPlan(input: WorkspaceOfHost & { readonly plan: string }): Promise<'undone' | 'committed'>;
}

/** By how much the clock of the machine on which a plan was made may be ahead. */
const CLOCK_SKEW_SECONDS = 60;

/** Creates the activities. */
export function createHostActivities({ host, blobs, providers, ...tools }: HostTools): HostActivities {
  const siteOf = (root: string, signal: AbortSignal): PlanSite => ({
    ...tools,
    root,
    commands: host.commands,
    signal,
    // again of the folder that is open: another one may have come to the path since it was looked at
    permit: (real) => refuseOutside(host, real, root),
    run: runningFlow().runId,
    repositoryOf: (origin) => repositoryAt(origin, providers),
  });
  return {
    checkPlan: ({ root, plan, maxAgeSeconds, now }) =>
      heartbeating(async (signal) => {
        await refuseOtherPlaces(host, root);
        const checked = await checkWorkspacePlan(await bytesOf(blobs, plan), siteOf(root, signal));
        refuseOtherPrograms(host, checked.programs);
        if (maxAgeSeconds !== null) refuseAge(checked, maxAgeSeconds, now);
        return { ...checked, owner: host.approve === 'owner' ? (host.owner ?? null) : null };
      }),
    executePlan: ({ root, plan }) =>
      heartbeating(
        async (signal, report) => {
          const bytes = await bytesOf(blobs, plan);
          const real = await refuseOtherPlaces(host, root);
          const site = { ...siteOf(real, signal), onProgress: report };
          const { drift, kept, unverified, ...applied } = await applyWorkspacePlan(bytes, site);
          return {
            ...applied,
            drift: fewSentences(sentencesOf(drift)),
            kept: fewSentences(kept),
            unverified: fewSentences(unverified),
          };
        },
        { endsWhenAway: true },
      ),
    undoPlan: ({ root, plan }) =>
      heartbeating(
        async (signal) => {
          const real = await refuseOtherPlaces(host, root);
          const { outcome, left } = await undoWorkspacePlan(siteOf(real, signal), plan);
          if (outcome !== 'incomplete') return outcome;
          const lines = fewSentences(left.map(({ problem, command }) => `- ${problem} ${command}`));
          throw new LonghaulError('UndoFailed', ['Not everything could be undone:', ...lines].join('\n'));
        },
        { endsWhenAway: true },
      ),
  };
}

/** Throws `InvalidInput` for a plan that is too old at `now` (ISO 8601), or was made later than that. */
export function refuseAge({ plan, createdAt }: CheckedPlan, maxAgeSeconds: number, now: string): void {
  const age = (Date.parse(now) - Date.parse(createdAt)) / 1_000;
  const why =
    age > maxAgeSeconds
      ? `more than ${maxAgeSeconds} seconds ago`
      : age < -CLOCK_SKEW_SECONDS
        ? `which is in the future at ${now}`
        : null;
  if (why === null) return;
  throw new LonghaulError('InvalidInput', `The plan ${plan} was made at ${createdAt}, ${why}: make a new one.`);
}

/** The file of a plan in the blob store. */
export async function bytesOf(blobs: BlobStore, plan: string): Promise<Buffer> {
  return Buffer.concat((await (await blobs.open(plan)).toArray()) as Buffer[]);
}

/** The repository at an address: of the provider that has it, whose token it then needs, or of none. */
export function repositoryAt(origin: string, providers: readonly ProviderConfig[]): RepositoryAddress {
  const id = repositoryOfRemote(origin, providers);
  const name = /([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(origin)?.[1] ?? 'repository';
  return { id: id ?? `~origin/${sha256(origin).slice(0, 12)}/${name}`, cloneUrl: origin };
}

/** What differs, for people. */
function sentencesOf({ added, removed, changed }: WorkspaceDelta): readonly string[] {
  return [
    ...added.map(({ path }) => `${path.join(' ')} is missing`),
    ...removed.map(({ path }) => `${path.join(' ')} is there and should not be`),
    ...changed.map(({ path }) => `${path.join(' ')} differs`),
  ];
}
