import { createGit } from '../../../activities/git/git.ts';
import { refuseOtherPlaces } from '../../../activities/workspace/allowed-place.ts';
import { makeLinks, planLinkOn, recordedLinks, takeLinksBack } from '../../../activities/workspace/mix-links.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { workspaceStateFile } from '../../../activities/workspace/workspace-state-file.ts';
import { GraftError, notInWorkspace } from '../../../domain/workspace/graft-error.ts';
import { linkOffJson, linkOnJson } from '../../../domain/workspace/mix-link.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { printGraftJson } from './graft-json.ts';

/** Options of `longhaul workspace link on` and `link off`. */
export interface LinkOptions {
  readonly root: string;
  /** Only say what would be done. @default false */
  readonly dryRun?: boolean;
  /** Print Graft's JSON. @default false */
  readonly json?: boolean;
}

/** `longhaul workspace link on`: repositories take packages of Elixir from the folders of the workspace. */
export async function linkOnCommand(
  context: CliContext,
  apps: readonly string[],
  options: LinkOptions,
): Promise<number> {
  const { cacheDir, dataDir, env, stdout, config } = context;
  const git = createGit(cacheDir, env);
  const { snapshot, file } = await readWorkspace(options.root, { git, env });
  const { root, repos } = snapshot;
  const known = new Set(
    repos.flatMap(({ packages }) =>
      packages.flatMap(({ name, ecosystem }) => (ecosystem === 'hex' ? (name ?? []) : [])),
    ),
  );
  const missing = apps.filter((app) => !known.has(app));
  if (missing.length > 0) throw notInWorkspace(missing, file ?? root);
  const plan = await planLinkOn(snapshot, [...new Set(apps)], git);
  const { dryRun = false, json = false } = options;
  const started = performance.now();
  if (!dryRun) {
    if (config.host !== undefined) await refuseOtherPlaces(config.host, root);
    await makeLinks(root, dataDir, plan);
  }
  const done = dryRun
    ? null
    : { state_path: workspaceStateFile(root), duration_ms: Math.round(performance.now() - started) };
  if (json) printGraftJson(stdout, linkOnJson(root, plan, done));
  else {
    for (const { repo, target_app: app, preimage, replacement, changed } of plan.changes) {
      const what = changed ? `${preimage} becomes ${replacement}` : `${preimage}, already`;
      stdout.write(`${printable(`${repo} takes ${app} from its folder: ${what}`)}\n`);
    }
    for (const warning of plan.warnings) stdout.write(`warning: ${printable(warning)}\n`);
  }
  return 0;
}

/** `longhaul workspace link off`: puts the declarations back that `link on` has replaced. */
export async function linkOffCommand(
  context: CliContext,
  apps: readonly string[],
  options: LinkOptions,
): Promise<number> {
  const { cacheDir, dataDir, env, stdout, config } = context;
  const { snapshot } = await readWorkspace(options.root, { git: createGit(cacheDir, env), env });
  const { root } = snapshot;
  const targets = [...new Set(apps)].sort();
  const links = await recordedLinks(root, targets);
  const missing = targets.filter((app) => !links.taken.some(({ target_app: one }) => one === app));
  if (missing.length > 0) {
    const shown = missing.map((app) => `:${app}`).join(', ');
    throw new GraftError(
      'InvalidInput',
      'plan_invalid_operation',
      `Target app(s) have no recorded link in .graft/state.json: [${shown}]`,
      { targets: missing },
    );
  }
  const { dryRun = false, json = false } = options;
  const started = performance.now();
  let isDeleted = false;
  if (!dryRun) {
    if (config.host !== undefined) await refuseOtherPlaces(config.host, root);
    isDeleted = await takeLinksBack(root, dataDir, links.taken);
  }
  const done = dryRun
    ? null
    : {
        state_path: workspaceStateFile(root),
        state_deleted: isDeleted,
        duration_ms: Math.round(performance.now() - started),
      };
  if (json) printGraftJson(stdout, linkOffJson(root, targets, links, done));
  else {
    for (const { repo, target_app: app, preimage, replacement } of links.taken) {
      stdout.write(
        `${printable(`${repo} no longer takes ${app} from its folder: ${replacement} becomes ${preimage}`)}\n`,
      );
    }
  }
  return 0;
}
