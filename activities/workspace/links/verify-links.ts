import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type FileLink, LINK_FILES, LINK_KINDS, type LinkKind } from '../../../domain/workspace/links/file-link.ts';
import { linkIn } from '../../../domain/workspace/links/file-edit.ts';
import type { DiskOperation } from '../../../domain/workspace/workspace-plan.schema.ts';
import { messageOf } from '../../../platform/error-code.ts';
import { findOnPath } from '../../../platform/program.ts';
import type { PlanGround } from '../plan-ground.ts';
import { readGroundFile } from './change-file.ts';
import { type Resolved, type ResolveTools, RESOLVERS, Unanswered } from './resolve-link.ts';

/** What links are verified with. */
export interface VerifyTools extends Omit<ResolveTools, 'root' | 'aside' | 'copies'> {
  readonly ground: PlanGround;
}

/** The program that says where a link of a kind leads to; null where this is seen in `node_modules`. */
const PROGRAM: Readonly<Record<LinkKind, string | null>> = {
  go: 'go',
  cargo: 'cargo',
  npm: null,
  pnpm: null,
  python: 'uv',
};

/**
 * Asks the tool of each link that the operations make where it takes the packages from. Returns one sentence for each link
 * about which a tool cannot say anything: that link is not verified. Throws `PlanPreconditionFailed` when a tool takes a package from
 * elsewhere. No program of a repository runs, and nothing is written into one.
 */
export async function verifyLinks(
  tools: VerifyTools,
  operations: readonly DiskOperation[],
): Promise<readonly string[]> {
  const { ground, env } = tools;
  const unverified: string[] = [];
  for (const operation of operations) {
    if (operation.does !== 'link') continue;
    const { repo, dep, path: from, depPath: to, index } = operation;
    for (const kind of LINK_KINDS) {
      const link = linkIn(kind, (await readGroundFile(ground, LINK_FILES[kind]))?.text ?? null, { from, to });
      if (link === null) continue;
      const about = `The link from ${repo} to ${dep} in ${LINK_FILES[kind]}`;
      const program = PROGRAM[kind];
      if (program !== null && (await findOnPath(program, env)) === null) {
        unverified.push(`${about} is not verified: there is no program ${program} on the PATH.`);
        continue;
      }
      try {
        refuseElsewhere(about, link, await resolved(tools, kind, link, `verify-${index}-${kind}`));
      } catch (error) {
        tools.signal?.throwIfAborted();
        if (!(error instanceof Unanswered)) throw error;
        unverified.push(`${about} is not verified: ${messageOf(error)}.`);
      }
    }
  }
  return unverified;
}

async function resolved(
  { ground, ...tools }: VerifyTools,
  kind: LinkKind,
  link: FileLink,
  name: string,
): Promise<readonly Resolved[]> {
  await ground.removeAside(name);
  let found: readonly Resolved[] = [];
  try {
    await ground.makeAside(name, async (copies) => {
      found = await RESOLVERS[kind](
        { ...tools, root: ground.root, aside: `${ground.root}/${ground.aside}/${name}`, copies },
        link,
      );
    });
  } finally {
    await ground.removeAside(name);
  }
  return found;
}

function refuseElsewhere(about: string, { by, takes }: FileLink, found: readonly Resolved[]): void {
  for (const { path: consumer } of by) {
    if (!found.some((one) => one.consumer === consumer))
      throw new Unanswered(`its tool does not mention the packages in ${consumer}`);
    for (const { name, path } of takes) {
      const place = found.find((one) => one.consumer === consumer && one.name === name);
      if (place === undefined || place.path === path) continue;
      const where = place.path === null ? 'its registry' : place.path;
      throw new LonghaulError(
        'PlanPreconditionFailed',
        `${about} does not hold: in ${consumer}, ${name} comes from ${where}.`,
      );
    }
  }
}
