import type { SnapshotContent } from '../../domain/workspace/workspace-snapshot.ts';
import { diskFailure, LonghaulError } from '../../domain/shared/failures.ts';
import {
  diffWorkspaces,
  isEmptyDelta,
  linksByKey,
  type WorkspaceDelta,
} from '../../domain/workspace/workspace-delta.ts';
import { manifestOf } from '../../domain/workspace/workspace-manifest.ts';
import type { PlanContent, PlanOperation } from '../../domain/workspace/workspace-plan.ts';
import { diskOperations, readWorkspacePlan } from '../../domain/workspace/workspace-plan.schema.ts';
import { messageOf } from '../../platform/error-code.ts';
import type { HeldFolder } from '../../platform/held-folder.ts';
import { createGit } from '../git/git.ts';
import { refuseOtherPrograms } from './allowed-place.ts';
import { checkPreconditions } from './check-preconditions.ts';
import { type EndingTools, undoChanges } from './end-plan.ts';
import { fewSentences } from './few-sentences.ts';
import { finishPlan, stateChangeOf } from './finish-plan.ts';
import type { Journal } from './journal.ts';
import type { LeftItem } from './left-item.ts';
import { verifyLinks } from './links/verify-links.ts';
import { lastEntry, type PlanEntry } from './plan-journal.ts';
import {
  beginRun,
  hasOpenPlan,
  lastAnswer,
  planOf,
  type PlanResult,
  type PlanSite,
  withPlanJournal,
} from './plan-run.ts';
import { keepBase } from './teardown/base-snapshot.ts';
import { unkeptWork } from './quarantine/quarantine-repository.ts';
import { excludesFile, readRepositories } from './read-workspace.ts';
import { runAll } from './run-all.ts';
import { identifyPlan } from './workspace-ids.ts';
import { realRoot } from './workspace-manifest-file.ts';
import { workspaceStateAt } from './workspace-state-file.ts';

/** What became of a plan. */
export interface AppliedPlan {
  readonly plan: string;
  /** `unchanged`: the workspace was as the plan wants it, and nothing was done. */
  readonly outcome: 'committed' | 'unchanged';
  /** What is not as desired, by a new snapshot. The workspace is ready when it is empty. */
  readonly drift: WorkspaceDelta;
  /** Folders with repositories that the plan took away and that got something new meanwhile, and such files. */
  readonly kept: readonly string[];
  /** Links of which no tool has said that they hold, one sentence each. */
  readonly unverified: readonly string[];
}

/** A plan that can be applied. */
export interface CheckedPlan {
  /** Its id. */
  readonly plan: string;
  /** When it was made, as its file says; not a part of its id. ISO 8601. */
  readonly createdAt: string;
  readonly operations: number;
  /** True when the workspace is as the plan wants it, and no plan is in progress: applying it would do nothing. */
  readonly isThere: boolean;
  /** The operations that run programs. */
  readonly programs: readonly PlanOperation[];
}

/** What became of the undoing of a plan. */
export interface UndonePlan {
  /** The plan; null when none was in progress. */
  readonly plan: string | null;
  /** `committed`: all its operations had succeeded, so that it was finished instead. */
  readonly outcome: 'undone' | 'incomplete' | 'committed';
  /** What could not be undone. */
  readonly left: readonly LeftItem[];
}

/**
 * Applies a plan: all of it, or nothing. `bytes` is the file of the plan. When an operation fails, everything is undone,
 * and its failure is thrown; what cannot be undone is in the message of `UndoFailed`. A process that was killed leaves a
 * journal: the next call with the same plan continues it. Applied again, a plan does nothing. Throws `InvalidInput` when
 * the bytes are no plan or were edited, `PlanPreconditionFailed` when something does not hold; nothing is changed then.
 */
export async function applyWorkspacePlan(bytes: Uint8Array | string, site: PlanSite): Promise<AppliedPlan> {
  const root = await realRoot(site.root);
  const { plan, content } = checkedPlan(bytes, root);
  const operations = diskOperations(content.operations);
  refuseOtherPrograms({ commands: site.commands ?? [] }, content.operations);
  return withPlanJournal(root, site, plan, async (journal, folder): Promise<PlanResult<AppliedPlan>> => {
    if (journal.entries.length === 0) {
      const last = await lastAnswer<AppliedPlan>(root, site, plan);
      if (last !== null) return { end: 'undone', answer: () => last };
      const drift = await driftOf(root, content, site);
      if (isEmptyDelta(drift))
        return { end: 'undone', answer: () => ({ plan, outcome: 'unchanged', drift, kept: [], unverified: [] }) };
      await refuseUnmet(root, content, site);
      await keepBase(site.dataDir, root, () => snapshotOf(root, content, site));
    }
    const run = await beginRun(folder, site, plan, journal);
    const undoing = lastEntry(journal, 'undoing');
    if (undoing !== null) {
      const { failure, message } = undoing;
      return undoFailed(run, failure === null ? new Error(message) : new LonghaulError(failure, message));
    }
    if (lastEntry(journal, 'committed') === null) {
      let unverified: readonly string[];
      try {
        await runAll(run, operations, site);
        unverified = await verifyLinks({ ...run, signal: site.signal }, operations);
      } catch (error) {
        site.signal?.throwIfAborted();
        return undoFailed(run, diskFailure(error) ?? error);
      }
      await journal.append({ type: 'committed', change: stateChangeOf(plan, operations), unverified });
    }
    const { unverified = [] } = lastEntry(journal, 'committed') ?? {};
    const kept = await finishPlan(run);
    const drift = await driftOf(root, content, site);
    return { end: 'committed', answer: () => ({ plan, outcome: 'committed', drift, kept, unverified }) };
  });
}

/**
 * Looks whether a plan can be applied, and changes nothing: see {@link applyWorkspacePlan}. One that is in progress, or was
 * applied, can. Throws `InvalidInput` and `PlanPreconditionFailed`.
 */
export async function checkWorkspacePlan(bytes: Uint8Array | string, site: PlanSite): Promise<CheckedPlan> {
  const root = await realRoot(site.root);
  const { plan, createdAt, content } = checkedPlan(bytes, root);
  const { operations } = content;
  diskOperations(operations);
  // what one that is in progress has changed no longer is as it must be before the first change
  const isOpen = await hasOpenPlan(root, site.dataDir);
  const isThere = !isOpen && isEmptyDelta(await driftOf(root, content, site));
  if (!isOpen && !isThere) await refuseUnmet(root, content, site);
  return {
    plan,
    createdAt,
    operations: operations.length,
    isThere,
    programs: operations.filter(({ type }) => type === 'run_command'),
  };
}

/**
 * Undoes the plan with this id if it is in progress in the workspace, after its process has ended without finishing it, or
 * when undoing it was incomplete and a person has removed what was in the way. One whose operations have all succeeded is
 * finished instead: a plan to the former state takes it back. Another plan that is in progress stays as it is.
 */
export async function undoWorkspacePlan(site: PlanSite, plan: string): Promise<UndonePlan> {
  const root = await realRoot(site.root);
  const work = async (journal: Journal<PlanEntry>, folder: HeldFolder): Promise<PlanResult<UndonePlan>> => {
    if (planOf(journal) === null) {
      const outcome = (await lastAnswer(root, site, plan)) === null ? 'undone' : 'committed';
      return { end: 'undone', answer: () => ({ plan: null, outcome, left: [] }) };
    }
    const run = await beginRun(folder, site, plan, journal);
    if (lastEntry(journal, 'committed') !== null) {
      await finishPlan(run);
      return { end: 'committed', answer: () => ({ plan, outcome: 'committed', left: [] }) };
    }
    if (lastEntry(journal, 'undoing') === null)
      await journal.append({ type: 'undoing', failure: 'Cancelled', message: `The plan ${plan} was undone.` });
    const left = await undoChanges(run);
    return left.length === 0
      ? { end: 'undone', answer: () => ({ plan, outcome: 'undone', left }) }
      : { end: 'open', answer: () => ({ plan, outcome: 'incomplete', left }) };
  };
  return withPlanJournal(root, site, plan, work, () => ({ plan: null, outcome: 'undone', left: [] }));
}

/** Undoes everything because of a failure, which the caller gets. */
async function undoFailed(run: EndingTools, failure: unknown): Promise<PlanResult<never>> {
  const { journal } = run.ground;
  const type = failure instanceof LonghaulError ? failure.type : null;
  if (lastEntry(journal, 'undoing') === null) {
    // where even the journal cannot be written, the changes are undone all the same: it has them
    await journal.append({ type: 'undoing', failure: type, message: messageOf(failure) }).catch(() => undefined);
  }
  const left = await undoChanges(run).catch((error: unknown) => {
    const why = `${messageOf(failure)} Undoing the plan failed: ${messageOf(error)}`;
    throw new LonghaulError('UndoFailed', why, { cause: failure });
  });
  const thrown =
    left.length === 0
      ? failure
      : new LonghaulError(
          'UndoFailed',
          [`${messageOf(failure)} Not everything could be undone:`, ...fewSentences(left.map(described))].join('\n'),
          { cause: failure },
        );
  return {
    end: left.length === 0 ? 'undone' : 'open',
    answer: () => {
      throw thrown;
    },
  };
}

function described({ problem, command }: LeftItem): string {
  return `- ${problem} ${command}`;
}

/** The plan in its file, at this root. Throws `InvalidInput` for one that is wrong, or that was edited. */
export function checkedPlan(
  bytes: Uint8Array | string,
  root: string,
): { readonly plan: string; readonly createdAt: string; readonly content: PlanContent } {
  const from = 'The file';
  const { id, createdAt, content } = readWorkspacePlan(parsed(bytes, from), from, {
    root,
    generated_at: new Date().toISOString(),
  });
  return { plan: identifyPlan({ id, ...content }, createdAt).id, createdAt, content };
}

function parsed(bytes: Uint8Array | string, from: string): unknown {
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new LonghaulError('InvalidInput', `${from} is no plan: ${messageOf(error)}.`, { cause: error });
  }
}

/** The repositories that a plan knows, as they are. */
async function snapshotOf(
  root: string,
  { current, desired }: PlanContent,
  { cacheDir, env, signal }: PlanSite,
): Promise<SnapshotContent> {
  const wanted = new Set(desired.repos.flatMap(({ name, path }) => [`name ${name}`, `path ${path}`]));
  const leaving = current.repos.filter(({ name, path }) => !wanted.has(`name ${name}`) && !wanted.has(`path ${path}`));
  const manifest = manifestOf([...desired.repos, ...leaving]);
  const found = { manifest, file: null, passedOver: [] };
  return (await readRepositories(root, found, { git: createGit(cacheDir, env), env, signal })).snapshot;
}

/** What is not as the plan wants it, of the repositories that it knows. */
async function driftOf(root: string, content: PlanContent, site: PlanSite): Promise<WorkspaceDelta> {
  const { current, desired } = content;
  const snapshot = await snapshotOf(root, content, site);
  const drift = diffWorkspaces(snapshot, desired);
  // a link that the plan does not remove is one that repositories declare themselves, such as a new clone
  const before = linksByKey(current);
  return { ...drift, removed: drift.removed.filter(({ path: [part, key] }) => part === 'repos' || before.has(key)) };
}

/**
 * Throws `PlanPreconditionFailed` with every precondition that does not hold, and `SchemaMismatch` where the state of the
 * workspace is not one that this program can write.
 */
async function refuseUnmet(root: string, { preconditions, operations }: PlanContent, site: PlanSite): Promise<void> {
  await workspaceStateAt(root);
  // the lock is held by this process
  const checkable = preconditions.filter(({ type }) => type !== 'lock_available');
  const { dataDir, env, signal } = site;
  const git = createGit(site.cacheDir, env);
  const leaving = new Set(operations.flatMap(({ type, target }) => (type === 'detach_repo' ? [target] : [])));
  const isKept = async (name: string, folder: string): Promise<boolean> => {
    if (!leaving.has(name)) return false;
    const tools = { git, dataDir, options: { excludes: await excludesFile(root, env), signal } };
    return (await unkeptWork(tools, root, folder)).length === 0;
  };
  const options = { git, env, signal, isKept };
  const unmet = (await checkPreconditions(root, checkable, options)).filter(({ problem }) => problem !== null);
  if (unmet.length === 0) return;
  const lines = unmet.map(({ precondition: { message }, problem }) => `${message} But ${problem}.`);
  throw new LonghaulError('PlanPreconditionFailed', lines.join('\n'));
}
