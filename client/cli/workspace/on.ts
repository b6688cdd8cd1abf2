import { createGit } from '../../../activities/git/git.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { consumerWorkspace } from '../../../domain/workspace/consumers.ts';
import { estateOf } from '../../../domain/workspace/intent/estate.ts';
import { matchWord } from '../../../domain/workspace/intent/match-repos.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { type PlanOutput, refuseMissingFolder, writePlan } from './write-plan.ts';

/** Options of `longhaul workspace on`. */
export interface OnOptions extends PlanOutput {
  readonly root: string;
  /** Steps from the repository. @default any number */
  readonly depth?: number;
  /** A folder with more repositories. @default none */
  readonly among?: string;
}

/**
 * `longhaul workspace on REPO --consumers`: plans the workspace in which everything that needs the repository is attached
 * and linked to its checkout. Changes nothing but the file that `--output` names. Exit code 9 when something is in the
 * way.
 */
export async function onCommand(context: CliContext, repo: string, options: OnOptions): Promise<number> {
  const { stdout, cacheDir, env } = context;
  const { root, depth = null, among, ...where } = options;
  if (where.output !== undefined) await refuseMissingFolder(where.output);
  const reading = { git: createGit(cacheDir, env), env };
  const { snapshot: current, manifest } = await readWorkspace(root, reading);
  const others = among === undefined ? null : (await readWorkspace(among, reading)).snapshot;
  const name = repositoryCalled(repo, current);
  const { consumers, desired } = consumerWorkspace(current, manifest, { name, others, depth });
  if (!where.json && consumers.length === 0) {
    stdout.write(`${printable(`No repository that is known here needs ${name}.`)}\n`);
  } else if (!where.json) {
    stdout.write(`${printable(`These need ${name}, in the order in which they are validated:`)}\n`);
    for (const { name: consumer, depth: steps } of consumers) {
      stdout.write(`${printable(`  ${consumer}${steps === 1 ? '' : `, in ${steps} steps`}`)}\n`);
    }
  }
  return writePlan(context, { current, wanted: desired, environment: manifest.environment }, where, reading);
}

/** The name of the one repository that is called so. */
function repositoryCalled(called: string, snapshot: SnapshotContent): string {
  const matches = estateOf(snapshot).repos.flatMap((repo) => {
    const match = matchWord(called, repo);
    return match?.kind === 'name' ? [{ name: repo.name, weight: match.weight }] : [];
  });
  const best = Math.max(...matches.map(({ weight }) => weight));
  const [found, other] = matches.filter(({ weight }) => weight === best);
  if (found === undefined) {
    throw new LonghaulError(
      'InvalidInput',
      `The workspace has no repository ${called}: add the one that changes first.`,
    );
  }
  if (other === undefined) return found.name;
  throw new LonghaulError('InvalidInput', `Several repositories are called ${called}: ${found.name}, ${other.name}.`);
}
