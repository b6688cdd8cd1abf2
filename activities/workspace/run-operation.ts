import { join } from 'node:path';
import { refOfBranch } from '../../domain/git/branch.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { DiskOperation } from '../../domain/workspace/workspace-plan.schema.ts';
import type { NewClone } from '../mgit/clone-into.ts';
import type { Mgit } from '../mgit/index.ts';
import { createLink, type LinkTools, removeLink } from './links/run-link.ts';
import type { VerifyTools } from './links/verify-links.ts';
import type { PlanGround } from './plan-ground.ts';
import { lastEntry } from './plan-journal.ts';
import { runPlanCommand } from './run-command.ts';
import type { UnsavedWork } from './unsaved-work.ts';

/** What operations are done with. */
export interface OperationTools extends LinkTools, Omit<VerifyTools, 'signal'> {
  readonly mgit: Mgit;
  /** The repository at an address, with the id by which mgit finds its mirror and credentials. */
  readonly repositoryOf: (origin: string) => RepositoryAddress;
  /** {@link unsavedWork} of a folder in the workspace. */
  readonly unsaved: (path: string) => Promise<UnsavedWork>;
  /** Says what the operation does from now on, for its heartbeat. */
  readonly onStep: (step: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Does one operation of a plan. What a process before this one has done of it, according to the journal, is not done
 * again. Throws `PlanPreconditionFailed` when the disk is not ready for it, and whatever mgit throws.
 */
export async function runOperation(tools: OperationTools, operation: DiskOperation): Promise<void> {
  switch (operation.does) {
    case 'clone':
      return cloneRepository(tools, operation);
    case 'detach':
      return detachRepository(tools, operation);
    case 'run':
      return runPlanCommand(tools, operation);
    case 'link':
      return createLink(tools, operation);
    case 'unlink':
      return removeLink(tools, operation);
  }
}

/** The place of what an operation makes, and of what it takes away. */
export function placesAside({ aside }: Pick<PlanGround, 'aside'>, operation: number): { made: string; taken: string } {
  return { made: `${aside}/made-${operation}`, taken: `${aside}/taken-${operation}` };
}

async function cloneRepository(
  { ground, mgit, repositoryOf, onStep, signal }: OperationTools,
  operation: Extract<DiskOperation, { does: 'clone' }>,
): Promise<void> {
  const { index, path, origin } = operation;
  const { made } = placesAside(ground, index);
  const before = lastEntry(ground.journal, 'move', index);
  if (before !== null && (await ground.inodeAt(path)) === before.inode) return;
  // a folder that was not renamed may be half made
  await ground.removeAside(nameOf(made));
  const repository = repositoryOf(origin);
  onStep('look up the branch');
  const clone = await commitOf(mgit, repository, operation, signal);
  await ground.journal.append({ type: 'aside', operation: index });
  await ground.makeAside(nameOf(made), (folder) => mgit.cloneInto(repository, clone, folder, { signal, onStep }));
  signal.throwIfAborted();
  onStep('rename');
  await ground.makeFoldersAround(index, path);
  await ground.move(index, made, path);
}

/** Where a clone begins: at its branch on the remote; a new branch, and one of which nothing is said, at its HEAD. */
async function commitOf(
  mgit: Mgit,
  repository: RepositoryAddress,
  { branch, commit }: Extract<DiskOperation, { does: 'clone' }>,
  signal: AbortSignal,
): Promise<NewClone> {
  if (commit !== null) return { commit, branch: null, from: null, isFromDefault: false };
  const question = branch === null ? repository : { ...repository, branches: [branch] };
  const head = (await mgit.heads([question], { signal })).get(repository.id);
  if (head === undefined) throw new Error(`${repository.id} was not looked up`);
  if (head instanceof LonghaulError) throw head;
  const other = branch === null || branch === head.branch ? undefined : head.branches?.get(refOfBranch(branch));
  if (other !== undefined) return { commit: other, branch, from: branch, isFromDefault: false };
  return {
    commit: head.commit,
    branch: branch ?? head.branch,
    from: head.branch,
    isFromDefault: head.branch !== null,
  };
}

async function detachRepository(
  { ground, unsaved }: OperationTools,
  { index, target, path }: Extract<DiskOperation, { does: 'detach' }>,
): Promise<void> {
  const { taken } = placesAside(ground, index);
  const before = lastEntry(ground.journal, 'move', index);
  if (before === null || (await ground.inodeAt(taken)) !== before.inode) {
    refuseUnsaved(target, await unsaved(path));
    await ground.move(index, path, taken);
  }
  // it may have been worked in until it was renamed
  const work = await unsaved(taken);
  const move = lastEntry(ground.journal, 'move', index);
  if (work.length === 0 || move === null) return;
  const isBack = await ground.moveBack(move);
  refuseUnsaved(target, isBack ? work : [...work, `it is at ${join(ground.root, taken)} now`]);
}

function refuseUnsaved(target: string, work: UnsavedWork): void {
  if (work.length === 0) return;
  throw new LonghaulError(
    'PlanPreconditionFailed',
    `${target} cannot be taken out of the workspace without loss: ${work.join('; ')}.`,
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
