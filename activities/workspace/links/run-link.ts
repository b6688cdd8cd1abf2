import { LonghaulError } from '../../../domain/shared/failures.ts';
import { checkFileLinks } from '../../../domain/workspace/links/file-link.schema.ts';
import { type FileLink, LINK_FILES, LINK_KINDS, type LinkKind } from '../../../domain/workspace/links/file-link.ts';
import { linkIn } from '../../../domain/workspace/links/file-edit.ts';
import { type LinkedRepo, planLink } from '../../../domain/workspace/links/plan-link.ts';
import type { RepositoryManifests } from '../../../domain/workspace/package-manifest.ts';
import type { DiskOperation } from '../../../domain/workspace/workspace-plan.schema.ts';
import { createSemaphore } from '../../../platform/semaphore.ts';
import type { PlanGround } from '../plan-ground.ts';
import { changeFile } from './change-file.ts';
import { linkFacts } from './link-facts.ts';

/** What links are made with. */
export interface LinkTools {
  readonly ground: PlanGround;
  /** The manifests of the packages in a folder of the workspace. */
  readonly manifests: (path: string) => Promise<RepositoryManifests>;
}

/** An operation that makes or removes a link. */
type LinkOperation = Extract<DiskOperation, { readonly does: 'link' | 'unlink' }>;

/** Several links share a file: they are written one after the other. A process applies few plans at a time. */
const writing = createSemaphore(1);

/**
 * Links two repositories: each tool that `repo` uses for packages of `dep` finds them in the folder of `dep`, because a file
 * in the root of the workspace says so. Throws `PlanPreconditionFailed` when nothing would be taken, when a version does not
 * fit, and when a file there is not ours.
 */
export async function createLink(tools: LinkTools, operation: LinkOperation): Promise<void> {
  const { ground, manifests } = tools;
  const { repo, dep, path, depPath } = operation;
  const read = async (name: string, folder: string): Promise<LinkedRepo> => ({
    name,
    path: folder,
    packages: (await manifests(folder)).packages,
  });
  const [from, to] = [await read(repo, path), await read(dep, depPath)];
  const { inFiles, problems, isDeclared } = planLink(from, to, await linkFacts(ground.root, from, to));
  if (problems.length > 0) throw refusal(problems.join(' '));
  if (inFiles.size === 0 && !isDeclared)
    throw refusal(`${repo} needs no package that ${dep} has: there is nothing to link.`);
  for (const [kind, link] of inFiles) {
    if (checkFileLinks([link]) === null)
      throw refusal(
        `${repo} cannot be linked to ${dep} in ${LINK_FILES[kind]}: a folder of a package has a name that is not allowed.`,
      );
    await setLink(tools, operation, kind, link);
  }
}

/** Removes a link from all files of the root that have it; does nothing where none has. */
export async function removeLink(tools: Pick<LinkTools, 'ground'>, operation: LinkOperation): Promise<void> {
  for (const kind of LINK_KINDS) {
    await setLink(tools, operation, kind, null);
  }
}

async function setLink(
  { ground }: Pick<LinkTools, 'ground'>,
  { index, path: from, depPath: to }: LinkOperation,
  kind: LinkKind,
  after: FileLink | null,
): Promise<void> {
  const release = await writing.acquire();
  try {
    await changeFile(ground, index, LINK_FILES[kind], (text) => {
      return { kind, from, to, before: linkIn(kind, text, { from, to }), after };
    });
  } finally {
    release();
  }
}

function refusal(why: string): LonghaulError {
  return new LonghaulError('PlanPreconditionFailed', why);
}
