import { Readable } from 'node:stream';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { TeardownMode } from '../../../domain/workspace/flows/teardown-flow.ts';
import { isRepoPath } from '../../../domain/workspace/workspace-manifest.ts';
import { holdFolder } from '../../../platform/held-folder.ts';
import { createGit } from '../../git/git.ts';
import { heartbeating } from '../../shared/heartbeating.ts';
import { refuseOtherPlaces } from '../allowed-place.ts';
import { fewSentences, fewSentencesEach } from '../few-sentences.ts';
import type { HostTools, WorkspaceOfHost } from '../host-activities.ts';
import { quarantineRepository } from '../quarantine/quarantine-repository.ts';
import { excludesFile } from '../read-workspace.ts';
import { endWorkspace } from './end-workspace.ts';
import { planTeardown, type TeardownPlan } from './plan-teardown.ts';

/** {@link TeardownPlan}, with its file in the blob store. */
export type StoredTeardownPlan = Omit<TeardownPlan, 'bytes'> & {
  /** SHA-256 of the plan; null when nothing has to be done. */
  readonly plan: string | null;
};

/** Activities of the role `host:<name>` for the end of workspaces. */
export interface TeardownActivities {
  /** Plans the end of a workspace; changes nothing. Throws `NotAllowedHere` and `PlanPreconditionFailed`. */
  planTeardown(
    input: WorkspaceOfHost & { readonly mode: Exclude<TeardownMode, 'preserve'> },
  ): Promise<StoredTeardownPlan>;
  /** Keeps a repository in quarantine. Returns the id of the entry; null when nothing would be lost with it. */
  keepRepository(input: WorkspaceOfHost & { readonly path: string; readonly by: string }): Promise<string | null>;
  /** Forgets a workspace ({@link endWorkspace}). Returns what is left of `.graft`. */
  endWorkspace(input: WorkspaceOfHost & { readonly keepsFiles: boolean }): Promise<readonly string[]>;
}

/** Creates the activities. */
export function createTeardownActivities({ host, blobs, ...tools }: HostTools): TeardownActivities {
  const { dataDir, cacheDir, env } = tools;
  return {
    planTeardown: ({ root, mode }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const { bytes, losses, needed, ...rest } = await planTeardown(real, mode, { ...tools, signal });
        const planned = { ...rest, losses: fewSentencesEach(losses), needed: fewSentences(needed) };
        if (bytes === null) return { ...planned, plan: null };
        const { digest } = await blobs.put(Readable.from([Buffer.from(bytes)]));
        return { ...planned, plan: digest };
      }),
    keepRepository: ({ root, path, by }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const excludes = await excludesFile(real, env);
        if (!isRepoPath(path)) throw new LonghaulError('InvalidInput', `${path} is no folder of a workspace.`);
        // no folder of the path may be a link
        await holdFolder(real, path).then((folder) => folder.close());
        const tool = { git: createGit(cacheDir, env), dataDir, options: { excludes, signal } };
        return quarantineRepository(tool, { root: real, path }, by);
      }),
    endWorkspace: ({ root, keepsFiles }) =>
      heartbeating(async (signal) =>
        fewSentences(await endWorkspace(await refuseOtherPlaces(host, root), dataDir, { keepsFiles, signal })),
      ),
  };
}
