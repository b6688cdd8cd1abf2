import { createGit } from '../../../activities/git/git.ts';
import { removeFromManifest } from '../../../activities/workspace/edit-manifest.ts';
import { planMembership } from '../../../activities/workspace/plan-membership.ts';
import { quarantineRepository } from '../../../activities/workspace/quarantine/quarantine-repository.ts';
import { excludesFile } from '../../../activities/workspace/read-workspace.ts';
import { readWorkspaceManifest, realRoot } from '../../../activities/workspace/workspace-manifest-file.ts';
import { workspaceStateAt } from '../../../activities/workspace/workspace-state-file.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { notInWorkspace } from '../../../domain/workspace/graft-error.ts';
import type { DesiredRepo } from '../../../domain/workspace/workspace-manifest.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';
import { askYes } from './ask-yes.ts';
import { printGraftJson } from './graft-json.ts';
import { membershipJson, membershipLines, type MembershipOptions, type MembershipOutcome } from './membership.ts';
import { runPlan } from './run-plan.ts';

/** Options of `longhaul workspace remove`. */
export interface RemoveOptions extends MembershipOptions {
  /** Also take the folders away. @default false: only the manifest changes */
  readonly delete?: boolean;
  /** Also those with unsaved work, which are kept in quarantine first; asks. @default false */
  readonly force?: boolean;
  /** Answers the question of `--force` with yes. @default false */
  readonly yes?: boolean;
}

/**
 * `longhaul workspace remove`: takes repositories out of the manifest, and with `--delete` out of the folder, all of them or
 * none. Exit code 9 when one has work that is saved nowhere else.
 */
export async function removeCommand(
  context: CliContext,
  targets: readonly string[],
  options: RemoveOptions,
): Promise<number> {
  const { cacheDir, dataDir, env, stdout } = context;
  const { dryRun = false, delete: deletes = false, force = false, json = false } = options;
  const root = await realRoot(options.root);
  const found = await readWorkspaceManifest(root);
  const state = await workspaceStateAt(root);
  const repos = reposOf(
    targets,
    [
      ...found.manifest.repositories,
      // one that an earlier run has taken out of the manifest only
      ...state.repos.map(({ name, path }) => ({ ...NOTHING_MORE, name, path })),
    ],
    found.file ?? root,
  );
  const names = repos.map(({ name }) => name);
  const linked = state.entries.filter(({ repo, target_app }) => names.includes(repo) || names.includes(target_app));
  if (linked.length > 0) {
    const lines = linked.map(({ repo, target_app: app }) => `${repo} takes ${app} from its folder.`);
    const apps = [...new Set(linked.map(({ target_app: app }) => app))].join(' ');
    throw new LonghaulError(
      'PlanPreconditionFailed',
      `${lines.join(' ')} First run: longhaul workspace link off ${apps}`,
    );
  }
  const git = createGit(cacheDir, env);
  const { plan, checked, unsaved } = await planMembership({ root, repos, does: 'remove' }, { git, env });
  const outcomes = repos.map(({ name, path }): MembershipOutcome => {
    const work = unsaved.get(name) ?? [];
    const failures =
      !deletes || force || work.length === 0
        ? []
        : [
            {
              kind: 'remove_dirty_repo',
              message: `${name} cannot be deleted without loss: ${work.join('; ')}. Save it, or keep it in quarantine with --force.`,
              details: { name, path, unsaved: work },
            },
          ];
    const status = failures.length > 0 ? 'error' : dryRun ? 'planned' : 'removed';
    const what = deletes ? (work.length > 0 ? `, and kept ${path} in quarantine` : `, and deleted ${path}`) : '';
    const message = `taken out of ${found.file ?? 'the workspace'}${what}`;
    return { name, path, status, message, delete: deletes, dirty: work.length > 0, failures };
  });
  const isRefused = outcomes.some(({ status }) => status === 'error');
  const kept: string[] = [];
  const print = (applied: boolean): number => {
    const flags = { dryRun, applied, delete: deletes, force };
    if (json) printGraftJson(stdout, membershipJson('remove', root, outcomes, flags));
    else {
      for (const line of membershipLines(outcomes)) stdout.write(`${printable(line)}\n`);
      for (const id of kept) stdout.write(`kept in quarantine: longhaul workspace restore ${id}\n`);
    }
    return isRefused ? FAILURES.PlanPreconditionFailed.exitCode : 0;
  };
  if (isRefused || dryRun) return print(false);
  const finish = async (): Promise<number> => {
    await removeFromManifest(root, found, names);
    return print(true);
  };
  if (!deletes || plan.operations.length === 0) return finish();
  const unmet = checked.filter(
    ({ precondition: { type, target }, problem }) =>
      problem !== null && !(force && type === 'repo_clean' && unsaved.has(target)),
  );
  if (unmet.length > 0) {
    const lines = unmet.map(({ precondition: { message }, problem }) => `${message} But ${problem}.`);
    throw new LonghaulError('PlanPreconditionFailed', lines.join('\n'));
  }
  const confirmed = [...unsaved].map(
    ([name, work]) => `${name} leaves, and is kept in quarantine: ${work.join('; ')}.`,
  );
  if (confirmed.length > 0) await askYes(context, confirmed, 'Take it out of the workspace?', options.yes === true);
  const tools = { git, dataDir, options: { excludes: await excludesFile(root, env) } };
  for (const { name, path } of repos) {
    const id = unsaved.has(name) ? await quarantineRepository(tools, { root, path }, userName(env)) : null;
    if (id !== null) kept.push(id);
  }
  return runPlan(context, canonicalText(plan), { root, confirmed }, finish, { wait: true });
}

const NOTHING_MORE = { origin: null, branch: null, role: 'write', setup: [], commands: {} } as const;

/** The repositories with these names. Throws for names that there are not. */
function reposOf(targets: readonly string[], known: readonly DesiredRepo[], from: string): readonly DesiredRepo[] {
  const byName = new Map(known.toReversed().map((repo) => [repo.name, repo]));
  const missing = targets.filter((target) => !byName.has(target));
  if (missing.length > 0) throw notInWorkspace(missing, from);
  return [...new Set(targets)].flatMap((target) => byName.get(target) ?? []);
}
