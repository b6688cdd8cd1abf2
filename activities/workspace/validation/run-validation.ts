import { LonghaulError } from '../../../domain/shared/failures.ts';
import { redact } from '../../../domain/shared/redact.ts';
import type { ValidationCommand, ValidationPlan, ValidationStep } from '../../../domain/workspace/validation-plan.ts';
import { categoryOf, type CommandOutcome, type RepoOutcome } from '../../../domain/workspace/validation-result.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { findOnPath, pick, startProgram } from '../../../platform/program.ts';
import { createSemaphore } from '../../../platform/semaphore.ts';
import { decidingVariable } from '../allowed-place.ts';

/** How a validation runs. */
export interface ValidationOptions {
  /** The environment of the person, of which programs get what tools need to be found. */
  readonly env: NodeJS.ProcessEnv;
  /** Further variables, as the manifest has them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Repositories that are checked in parallel. @default 2 */
  readonly parallel?: number;
  /** True to check the other repositories after a failure, too. @default false */
  readonly continues?: boolean;
  /** Repositories whose content has passed already: their commands do not run again. @default none */
  readonly unchanged?: ReadonlySet<string>;
  /** Ends the programs. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a repository has ended, in the order of the plan. */
  readonly onEnded?: (outcome: RepoOutcome) => void;
}

/** What a program of a repository gets of the person's environment: no credentials. */
const ENVIRONMENT = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_CACHE_HOME'];
/** The longest that one program may take. */
const LONGEST_MS = 60 * 60_000;
const TAIL_LINES = 20;
/** Characters that are kept for the last lines. */
const KEPT = 16_000;

/**
 * Checks the repositories of a plan, each after those that it needs, independent ones in parallel. After a failure no other
 * one begins, unless it `continues`; those have the status `skipped`. A program that fails is a result. Rejects when it is
 * aborted; its programs have ended then.
 */
export async function runValidation(
  { steps }: ValidationPlan,
  options: ValidationOptions,
): Promise<readonly RepoOutcome[]> {
  const { parallel = 2, continues = false, unchanged, signal, onEnded } = options;
  const semaphore = createSemaphore(parallel);
  const ended = new Map<string, Promise<RepoOutcome>>();
  let hasFailed = false;
  for (const step of steps) {
    const before = step.needs.flatMap((name) => ended.get(name) ?? []);
    const work = async (): Promise<RepoOutcome> => {
      await Promise.all(before);
      const release = await semaphore.acquire(signal);
      try {
        signal?.throwIfAborted();
        if (hasFailed && !continues) return skipped(step);
        if (unchanged?.has(step.repo)) return { ...skipped(step), status: 'passed' };
        const outcome = await runStep(step, options);
        if (outcome.status === 'failed') hasFailed = true;
        return outcome;
      } finally {
        release();
      }
    };
    ended.set(step.repo, work());
  }
  const outcomes: RepoOutcome[] = [];
  try {
    for (const one of ended.values()) {
      const outcome = await one;
      outcomes.push(outcome);
      onEnded?.(outcome);
    }
  } finally {
    // none is left running when one rejects
    await Promise.allSettled(ended.values());
  }
  return outcomes;
}

function skipped({ repo, repo_path, commands }: ValidationStep): RepoOutcome {
  return { repo, repo_path, status: 'skipped', duration_ms: 0, commands: commands.map(notRun) };
}

function notRun({ kind, argv, description }: ValidationCommand): CommandOutcome {
  const nothing = { exit_status: null, duration_ms: 0, output_tail: '', failure_category: null };
  return { kind, argv, description, status: 'skipped', ...nothing };
}

/** The commands of a repository, one after the other until one fails. */
export async function runStep(
  { repo, repo_path, commands }: Omit<ValidationStep, 'needs'>,
  options: Pick<ValidationOptions, 'env' | 'environment' | 'signal'>,
): Promise<RepoOutcome> {
  const started = performance.now();
  const outcomes: CommandOutcome[] = [];
  for (const command of commands) {
    const failed = outcomes.some(({ status }) => status === 'failed');
    outcomes.push(failed ? notRun(command) : await runCommand(command, repo_path, options));
  }
  const status = outcomes.every((each) => each.status === 'passed') ? 'passed' : 'failed';
  return { repo, repo_path, status, duration_ms: Math.round(performance.now() - started), commands: outcomes };
}

async function runCommand(
  { kind, program, argv, description }: ValidationCommand,
  cwd: string,
  { env, environment, signal }: Pick<ValidationOptions, 'env' | 'environment' | 'signal'>,
): Promise<CommandOutcome> {
  const started = performance.now();
  let output = '';
  const outcome = (status: 'passed' | 'failed', exit: number | null, wasFound = true): CommandOutcome => ({
    kind,
    argv,
    description,
    status,
    exit_status: exit,
    duration_ms: Math.round(performance.now() - started),
    output_tail: redact(output).trimEnd().split('\n').slice(-TAIL_LINES).join('\n'),
    failure_category: status === 'passed' ? null : categoryOf(kind, wasFound),
  });
  // the one that the person has, and none of the repository
  const found = program.includes('/') ? program : await findOnPath(program, env);
  if (found === null) {
    output = `There is no program ${program}.`;
    return outcome('failed', null, false);
  }
  const known = { ...pick(env, ENVIRONMENT), ...environment };
  const running = startProgram(found, argv, { env: known, cwd, signal, timeoutMs: LONGEST_MS, graceMs: 2_000 });
  running.stdin.end();
  for (const stream of [running.stdout, running.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (piece: string) => (output = (output + piece).slice(-KEPT)));
    stream.on('error', () => undefined);
  }
  try {
    const { code, killedBy } = await running.ended;
    if (code === null) output += `\nended by ${killedBy}`;
    return outcome(code === 0 ? 'passed' : 'failed', code);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) {
      output = `There is no program ${program}.`;
      return outcome('failed', null, false);
    }
    signal?.throwIfAborted();
    if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
    output += `\nended after ${LONGEST_MS / 60_000} minutes`;
    return outcome('failed', null);
  }
}

/**
 * Throws `NotAllowedHere` for a command that this machine does not run for workspaces (`host.commands`): each allowed one is
 * a program with the arguments that it begins with. So it does for variables of the manifest that would make another program
 * of it.
 */
export function refuseOtherCommands(
  allowed: readonly (readonly string[])[],
  steps: readonly Pick<ValidationStep, 'repo' | 'commands'>[],
  environment: Readonly<Record<string, string>>,
): void {
  const variable = decidingVariable(environment);
  if (variable !== null) {
    throw new LonghaulError(
      'NotAllowedHere',
      `The manifest sets the variable ${variable}, which decides what programs run: no manifest may.`,
    );
  }
  for (const { repo, commands } of steps) {
    for (const { program, argv, description } of commands) {
      const words = [program, ...argv];
      if (allowed.some((begin) => begin.every((word, at) => words[at] === word))) continue;
      throw new LonghaulError(
        'NotAllowedHere',
        `${description} of ${repo} is not run on this machine: add ${JSON.stringify(words)}, or its beginning, to host.commands in longhaul.yaml.`,
      );
    }
  }
}
