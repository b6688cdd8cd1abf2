import { randomUUID } from 'node:crypto';
import { lstat, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import type { HeldFolder } from '../../platform/held-folder.ts';
import { identify } from '../../platform/process-identity.ts';
import { syncFolder, writeWhole } from '../../platform/whole-file.ts';
import { createGit, type GitOwner } from '../git/git.ts';
import type { Mgit } from '../mgit/index.ts';
import type { EndingTools } from './end-plan.ts';
import { type Journal, openJournal } from './journal.ts';
import { readPackageManifests } from './manifests/read-package-manifests.ts';
import { planGround } from './plan-ground.ts';
import { endChildren, isPlanEntry, lastEntry, type PlanEntry } from './plan-journal.ts';
import { excludesFile } from './read-workspace.ts';
import type { OperationTools } from './run-operation.ts';
import { unkeptWork } from './quarantine/quarantine-repository.ts';
import { holdWorkspace, type PlanEnd } from './workspace-lock.ts';
import { folderOfWorkspace, hasFormer, JOURNAL } from './workspace-registration.ts';

/** Where plans are applied, and with what. */
export interface PlanSite {
  /** The folder of the workspace. What a plan says about roots is not used. */
  readonly root: string;
  /** Longhaul's data folder on this host: it gets the journal. */
  readonly dataDir: string;
  /** Longhaul's cache folder on this host, for the configuration of git. */
  readonly cacheDir: string;
  /** The environment of the person: where the configuration of git is. */
  readonly env: NodeJS.ProcessEnv;
  /** The programs that plans may run, each with the arguments that it begins with. @default none */
  readonly commands?: readonly (readonly string[])[];
  /** Opens mgit, whose gits belong to this owner. */
  readonly openMgit: (owner: GitOwner) => Mgit;
  /** The repository at an address, with the id by which mgit finds its mirror and credentials. */
  readonly repositoryOf: (origin: string) => RepositoryAddress;
  /**
   * What applies the plan, such as the run of a flow. Asked again by the same run after the plan was committed, the answer is
   * the same one: the first may have been lost. @default nothing
   */
  readonly run?: string;
  /** Operations that are done in parallel. @default 4 */
  readonly parallel?: number;
  /**
   * Throws where the workspace must not be changed. Asked with the real path of its folder when that is open: what is changed
   * then is in this very folder. @default all may be
   */
  readonly permit?: (root: string) => Promise<void>;
  /** Ends the work; what was done stays, with its journal, until the next call continues or undoes it. */
  readonly signal?: AbortSignal | undefined;
  /** Called when an operation begins, comes to its next step or has ended, and every second meanwhile, for a heartbeat. */
  readonly onProgress?: (progress: PlanProgress) => void;
}

/** How far a plan is. */
export interface PlanProgress {
  readonly done: number;
  readonly total: number;
  readonly running: readonly RunningOperation[];
}

/** An operation that runs. */
export interface RunningOperation {
  /** A repository, or what else the operation is about. */
  readonly target: string;
  /** What it does at the moment, such as `fetch`; '' as long as it does not say. */
  readonly step: string;
  /** For how long it has been in this step. */
  readonly seconds: number;
}

/** How the work on a plan ended, and what its caller gets: `answer` returns it, or throws. */
export interface PlanResult<Result> {
  readonly end: PlanEnd;
  readonly answer: () => Result;
}

/** What became of the last plan that was committed. */
const LAST = 'last.json';

/** A plan that was committed, and what its caller got. */
interface LastPlan {
  readonly run: string;
  readonly plan: string;
  readonly answer: unknown;
}

/** What the same run was told about the plan when it was committed; null when it was not, or for another run. */
export async function lastAnswer<Answer>(
  root: string,
  { dataDir, run }: Pick<PlanSite, 'dataDir' | 'run'>,
  plan: string,
): Promise<Answer | null> {
  if (run === undefined) return null;
  try {
    const last = JSON.parse(await readFile(join(folderOfWorkspace(dataDir, root), LAST), 'utf8')) as LastPlan;
    return last.run === run && last.plan === plan ? (last.answer as Answer) : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** True when a plan is in progress in the workspace at this real path, perhaps of a process that has ended. */
export async function hasOpenPlan(root: string, dataDir: string): Promise<boolean> {
  const folder = folderOfWorkspace(dataDir, root);
  try {
    await lstat(join(folder, JOURNAL));
    return !(await hasFormer(folder, root));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * Runs `work` with the journal of the plan that is in progress in the workspace at this real path, whose entries are empty
 * when there is none, and with the open folder of the workspace. Removes the journal when the plan is over. Another plan than `plan` that is in progress is refused with
 * `PlanPreconditionFailed`, or left alone and answered with `ofAnother`.
 */
export async function withPlanJournal<Result>(
  root: string,
  { dataDir, run, permit, signal }: PlanSite,
  plan: string,
  work: (journal: Journal<PlanEntry>, folder: HeldFolder) => Promise<PlanResult<Result>>,
  ofAnother?: () => Result,
): Promise<Result> {
  const workspace = await holdWorkspace(root, { dataDir, permit, signal });
  const file = join(workspace.folder, JOURNAL);
  let end: PlanEnd = 'open';
  try {
    const journal = await openJournal(file, isPlanEntry);
    try {
      const other = planOf(journal);
      if (other !== null && other !== plan) {
        if (ofAnother !== undefined) return ofAnother();
        throw new LonghaulError(
          'PlanPreconditionFailed',
          `The plan ${other} is in progress in ${root}: apply it again or undo it before another one.`,
        );
      }
      const result = await work(journal, workspace.root);
      if (result.end === 'committed' && run !== undefined) {
        const last: LastPlan = { run, plan, answer: result.answer() };
        await writeWhole(join(workspace.folder, LAST), `${JSON.stringify(last)}\n`);
      }
      end = result.end;
      return result.answer();
    } finally {
      // nothing was announced, so nothing was changed
      if (journal.entries.length === 0) end = 'undone';
      await journal.close();
      if (end !== 'open') {
        await unlink(file);
        await syncFolder(workspace.folder);
      }
    }
  } finally {
    await workspace.leave(end);
  }
}

/** The id of the plan that a journal is about; null for an empty one. */
export function planOf(journal: Journal<PlanEntry>): string | null {
  return lastEntry(journal, 'worker')?.plan ?? null;
}

/**
 * Begins to work on a plan, or continues what another process has begun: its gits are ended first. Announces this process
 * in the journal.
 */
export async function beginRun(
  root: HeldFolder,
  site: PlanSite,
  plan: string,
  journal: Journal<PlanEntry>,
): Promise<Omit<OperationTools, 'signal' | 'onStep'> & EndingTools> {
  await endChildren(journal);
  const mark = randomUUID();
  await journal.append({ type: 'worker', plan, mark });
  const owner: GitOwner = {
    mark,
    async onStarted(pid) {
      const child = identify(pid);
      if (child !== null) await journal.append({ type: 'child', ...child });
    },
  };
  const ground = await planGround(root, plan, journal);
  const git = createGit(site.cacheDir, site.env);
  const excludes = await excludesFile(root.path, site.env);
  return {
    ground,
    owner,
    git,
    env: site.env,
    mgit: site.openMgit(owner),
    repositoryOf: site.repositoryOf,
    manifests: (path) => readPackageManifests(join(root.path, path), { git, signal: site.signal }),
    unsaved: (path) =>
      unkeptWork(
        { git, dataDir: site.dataDir, options: { excludes, signal: site.signal } },
        root.path,
        join(root.path, path),
      ),
  };
}
