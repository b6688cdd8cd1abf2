import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createGit } from '../../../activities/git/git.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { repoFingerprints } from '../../../activities/workspace/validation/repo-fingerprints.ts';
import { refuseOtherCommands, runValidation } from '../../../activities/workspace/validation/run-validation.ts';
import { recordValidation, validationRecords } from '../../../activities/workspace/validation/validation-files.ts';
import { refuseOtherPlaces } from '../../../activities/workspace/allowed-place.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { notInWorkspace } from '../../../domain/workspace/graft-error.ts';
import { planEvents, planValidation, type ValidationPlan } from '../../../domain/workspace/validation-plan.ts';
import {
  changedEvent,
  commandEvents,
  endEvent,
  type RepoOutcome,
  type ValidationResult,
  validationResult,
} from '../../../domain/workspace/validation-result.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { printGraftJson } from './graft-json.ts';

/** Options of `longhaul workspace validate`. */
export interface ValidateOptions {
  readonly root: string;
  /** Only say what would run. @default false */
  readonly dryRun?: boolean;
  /** Go on with the other repositories after a failure. @default false */
  readonly continue?: boolean;
  /** Do not run again what has passed with the same content. @default false */
  readonly quick?: boolean;
  /** Repositories that are checked in parallel. @default 2 */
  readonly parallel?: number;
  /** Print Graft's events, one a line. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul workspace validate`: runs what checks repositories and those that need them, in topological order, and records
 * at which commits and contents. Exit code 1 when something fails.
 */
export async function validateCommand(
  context: CliContext,
  targets: readonly string[],
  options: ValidateOptions,
): Promise<number> {
  const { cacheDir, dataDir, env, config, stdout, signals } = context;
  const { json = false, dryRun = false, quick = false } = options;
  const git = createGit(cacheDir, env);
  const { snapshot, manifest, file } = await readWorkspace(options.root, { git, env });
  const { root, repos } = snapshot;
  const missing = targets.filter((target) => !repos.some(({ name }) => name === target));
  if (missing.length > 0) throw notInWorkspace(missing, file ?? root);
  const withUv = new Set(
    repos.flatMap(({ name, absolute_path: path }) => (existsSync(join(path, 'uv.lock')) ? [name] : [])),
  );
  const plan = planValidation(snapshot, manifest, targets, withUv);
  const say = (line: string): void => void stdout.write(`${printable(line)}\n`);
  if (json) for (const event of planEvents(plan)) printGraftJson(stdout, event);
  else for (const line of planLines(plan, dryRun)) say(line);
  if (dryRun) return 0;
  if (config.host === undefined) {
    throw new LonghaulError(
      'NotAllowedHere',
      'Programs of repositories run only where the section "host" of longhaul.yaml allows them: add it with its commands.',
    );
  }
  await refuseOtherPlaces(config.host, root);
  refuseOtherCommands(config.host.commands, plan.steps, manifest.environment);
  const fingerprints = await repoFingerprints(plan, snapshot, { git });
  const records = quick ? await validationRecords(root) : {};
  const unchanged = new Set(
    plan.steps.flatMap(({ repo }) => {
      const [record, now] = [records[repo], fingerprints.get(repo)];
      // a folder that is no repository may differ in what is not looked at
      const isKnown = record !== undefined && snapshot.git.some((one) => one.repo === repo && one['is_git_repo?']);
      return isKnown && record.status === 'passed' && record.fingerprint === now?.fingerprint ? [repo] : [];
    }),
  );
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signals.once('SIGINT', end);
  signals.once('SIGTERM', end);
  const started = performance.now();
  try {
    const outcomes = await runValidation(plan, {
      env,
      environment: manifest.environment,
      continues: options.continue === true,
      unchanged,
      signal: ending.signal,
      ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
      onEnded: (outcome) => {
        if (!json) say(repoLine(outcome, unchanged.has(outcome.repo)));
        else if (!unchanged.has(outcome.repo))
          for (const event of commandEvents(outcome)) printGraftJson(stdout, event);
      },
    });
    const result = validationResult(plan, outcomes, Math.round(performance.now() - started));
    // a run takes up to an hour, in which a person works
    const { snapshot: now } = await readWorkspace(options.root, { git, env });
    const after = await repoFingerprints(plan, now, { git, signal: ending.signal });
    const changed = plan.steps
      .map(({ repo }) => repo)
      .filter((repo) => after.get(repo)?.fingerprint !== fingerprints.get(repo)?.fingerprint);
    await recordValidation(root, dataDir, result, fingerprints, new Set(changed));
    if (changed.length > 0) {
      if (json) printGraftJson(stdout, changedEvent(changed));
      else say(`not recorded, because it or what it needs was changed meanwhile: ${changed.join(', ')}`);
    }
    if (json) printGraftJson(stdout, endEvent(result));
    else for (const line of resultLines(result)) say(line);
    return result.passed ? 0 : FAILURES.PipelineFailed.exitCode;
  } catch (error) {
    if (ending.signal.aborted)
      throw new LonghaulError('Cancelled', 'The validation was interrupted.', { cause: error });
    throw error;
  } finally {
    signals.off('SIGINT', end);
    signals.off('SIGTERM', end);
  }
}

function planLines({ steps, warnings }: ValidationPlan, dryRun: boolean): readonly string[] {
  const all = steps.flatMap(({ repo, commands }, at) => [
    `${at + 1}. ${repo}`,
    ...commands.map(({ description }) => `   - ${description}`),
  ]);
  return [...(dryRun ? all : []), ...warnings.map((warning) => `warning: ${warning}`)];
}

function repoLine({ repo, status, duration_ms: ms }: RepoOutcome, isUnchanged: boolean): string {
  return isUnchanged ? `${repo}: passed before, unchanged` : `${repo}: ${status} (${(ms / 1_000).toFixed(1)} s)`;
}

function resultLines({ passed_count, failed_count, skipped_count, outcomes }: ValidationResult): readonly string[] {
  const failed = outcomes.flatMap(({ repo, commands }) =>
    commands.filter(({ status }) => status === 'failed').map((command) => ({ repo, ...command })),
  );
  return [
    ...failed.flatMap(({ repo, description, exit_status: exit, output_tail: tail }) => [
      `${description} in ${repo} ${exit === null ? 'did not run to its end' : `exited with ${exit}`}:`,
      ...tail.split('\n').map((line) => `  ${line}`),
    ]),
    `${passed_count} passed, ${failed_count} failed, ${skipped_count} skipped`,
  ];
}
