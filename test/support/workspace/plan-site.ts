import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGit } from '../../../activities/git/git.ts';
import { createMgit } from '../../../activities/mgit/index.ts';
import type { PlanSite } from '../../../activities/workspace/plan-run.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { readWorkspaceManifest } from '../../../activities/workspace/workspace-manifest-file.ts';
import { identifyPlan, identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { desiredSnapshot } from '../../../domain/workspace/desired-snapshot.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import type { WorkspacePlan } from '../../../domain/workspace/workspace-plan.ts';
import { git, SCRATCH_ENV } from '../scratch-git.ts';

/** The folders of a test: a workspace in `root`, and repositories that it can be cloned from in `origins`. */
export interface PlanPlace {
  readonly scratch: string;
  readonly root: string;
}

/** The folders in a scratch folder. */
export function planPlace(scratch: string, root = join(scratch, 'root')): PlanPlace {
  mkdirSync(root, { recursive: true });
  return { scratch, root };
}

/** Where plans are applied in a test. `path` comes first on the PATH. */
export function siteOf({ scratch, root }: PlanPlace, path?: string): PlanSite {
  // tools such as rustup and uv write into the home folder
  const env = {
    ...SCRATCH_ENV,
    HOME: join(scratch, 'home'),
    ...(path === undefined ? {} : { PATH: `${path}:${SCRATCH_ENV['PATH']}` }),
  };
  const cacheDir = join(scratch, 'cache');
  return {
    root,
    dataDir: join(scratch, 'data'),
    cacheDir,
    env,
    openMgit: (owner) => createMgit({ providers: [], cacheDir, env, maxFileBytes: 1_000_000, owner }),
    repositoryOf: (origin) => ({ id: `origin/acme/${origin.slice(origin.lastIndexOf('/') + 1)}`, cloneUrl: origin }),
  };
}

/** A plan, and its file. */
export interface MadePlan {
  readonly plan: WorkspacePlan;
  readonly bytes: string;
}

/** The plan that leads from the repositories of one manifest to those of another one, which stays in the workspace. */
export async function planFor({ scratch, root }: PlanPlace, from: string, to: string): Promise<MadePlan> {
  const file = join(root, 'longhaul.workspace.yaml');
  const options = { git: createGit(join(scratch, 'cache'), SCRATCH_ENV), env: SCRATCH_ENV };
  writeFileSync(file, from);
  const { snapshot } = await readWorkspace(root, options);
  writeFileSync(file, to);
  const { manifest } = await readWorkspaceManifest(root);
  const content = planWorkspace(snapshot, identifySnapshot(desiredSnapshot(snapshot, manifest)));
  return planFile(identifyPlan(content, '2026-01-01T00:00:00.000Z'));
}

/** A plan with some parts replaced, and with the id that belongs to them. */
export function changedPlan({ plan }: MadePlan, parts: Partial<WorkspacePlan>): MadePlan {
  const { id: _id, ...content } = { ...plan, ...parts };
  return planFile(identifyPlan(content, plan.created_at));
}

function planFile(plan: WorkspacePlan): MadePlan {
  return { plan, bytes: canonicalText(plan) };
}

/** A folder for the PATH with a git that first runs these lines of a shell script. */
export function gitThatFirst(scratch: string, ...lines: readonly string[]): string {
  const folder = join(scratch, 'bin');
  mkdirSync(folder, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v git'], { env: SCRATCH_ENV, encoding: 'utf8' }).trim();
  writeFileSync(join(folder, 'git'), ['#!/bin/sh', ...lines, `exec ${real} "$@"`, ''].join('\n'), { mode: 0o755 });
  return folder;
}

/**
 * Everything below a folder, read by nothing of the product: of each path its type, mode and content or target; of each
 * repository what git says about its refs, its HEAD, its changes and its soundness.
 */
export function walk(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const look = (path: string, name: string): void => {
    const info = lstatSync(path);
    const mode = (info.mode & 0o7777).toString(8);
    if (info.isSymbolicLink()) found[name] = `link ${readlinkSync(path)}`;
    else if (info.isFile())
      found[name] = `file ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    else found[name] = `folder ${mode}`;
    if (!info.isDirectory()) return;
    if (existsSync(join(path, '.git', 'HEAD'))) {
      found[`${name} as a repository`] = [
        git(path, 'for-each-ref'),
        git(path, 'rev-parse', 'HEAD'),
        git(path, 'worktree', 'list', '--porcelain').replaceAll(path, ''),
        git(path, '--no-optional-locks', 'status', '--porcelain', '--branch', '--ignored'),
        git(path, 'fsck', '--strict', '--no-dangling'),
      ].join('\n');
    }
    for (const entry of readdirSync(path).toSorted()) look(join(path, entry), `${name}/${entry}`);
  };
  look(folder, '');
  return found;
}
