import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  type CheckSpan,
  deploymentVariables,
  type ProgramsWatched,
  withAttempt,
} from '../../../domain/release/deployment/hook.ts';
import { stillDue, watched, WATCHED_NOTHING, type WatchState } from '../../../domain/release/deployment/watch.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { inCheckout } from '../pipelines/in-checkout.ts';
import type { JobTools } from '../pipelines/job-runner.ts';
import { programOf } from '../pipelines/job-services.ts';
import { createOutputTail } from '../pipelines/output-tail.ts';

/** Health checks of services to repeat. */
export interface WatchByProgramTask {
  readonly repository: string;
  readonly packed: PackedCommit;
  readonly environment: Environment;
  /** The services whose checks are repeated. */
  readonly services: readonly string[];
  /** Id of the deployment. */
  readonly deployment: string;
  /** Milliseconds that are left of its time. None: each check is tried until it is healthy once, or has failed too often. */
  readonly left: number;
  /** Where an attempt that was interrupted stood. @default the beginning */
  readonly before?: WatchedSoFar | undefined;
  readonly signal: AbortSignal;
  /** Receives where it stands after each round. */
  readonly onRound: (soFar: WatchedSoFar) => void;
}

/** Where a watch stands, as its heartbeats carry it. */
export interface WatchedSoFar {
  readonly state: WatchState;
  readonly spans: readonly CheckSpan[];
  readonly attempts: number;
}

/** A check that is due at a time. */
interface DueCheck {
  /** Its name. */
  readonly check: string;
  readonly service: string;
  readonly program: Check;
  at: number;
}
type Check = Environment['services'][string]['health'][number];

/** Programs that run in parallel. */
const IN_PARALLEL = 4;
/** Characters of what a failed check says. */
const SAID = 200;

/**
 * Repeats the health checks of services that are programs, each at its interval, until the time is over or one has failed
 * as often in a row as the environment says. All run in one checkout, so that an attempt costs no more than its program.
 * Every check is tried at least once, and one whose last attempt failed until it is decided. Throws `SecretNotAllowed`, `NetworkNotAllowed`, and the reason of the signal.
 */
export async function watchByProgram(
  tools: Omit<JobTools, 'artifactBytes' | 'blobs'>,
  task: WatchByProgramTask,
): Promise<ProgramsWatched> {
  const { repository, packed, environment, signal } = task;
  // another clock may be set meanwhile
  const until = performance.now() + task.left;
  const due = checksOf(task);
  let soFar: WatchedSoFar = task.before ?? { state: WATCHED_NOTHING, spans: [], attempts: 0 };
  const rules = { failedChecks: environment.failed_checks, errorRate: 1, slowdown: Infinity, leastRequests: 0 };
  const limit = pLimit(IN_PARALLEL);
  const inFolder = { packed, about: repository, name: 'check', signal };
  if (due.length > 0 && soFar.state.breach === null) {
    await inCheckout(tools, inFolder, async (folder) => {
      await tools.sandbox.give(folder);
      for (;;) {
        const left = stillDue(due, soFar.state, until);
        if (left.length === 0) return;
        await pauseUntil(Math.min(...left.map(({ at }) => at)), signal);
        const began = performance.now();
        const round = left.filter(({ at }) => at <= began);
        for (const each of round) each.at = began + each.program.interval * 1_000;
        await Promise.all(
          round.map((each) =>
            limit(async () => {
              const why = await tryCheck(tools, task, each, folder);
              const attempt = { name: each.check, ok: why === null, why: why ?? '' };
              soFar = {
                state: watched(soFar.state, rules, { what: 'health', ...attempt }),
                spans: withAttempt(soFar.spans, { ...attempt, at: new Date().toISOString() }),
                attempts: soFar.attempts + 1,
              };
            }),
          ),
        );
        task.onRound(soFar);
        if (soFar.state.breach !== null) return;
      }
    });
  }
  if (soFar.state.breach === null) await pauseUntil(until, signal);
  const { state, spans, attempts } = soFar;
  const failing = due
    .filter(({ check }) => (state.failing[check] ?? 0) > 0)
    .map(({ check: name }) => `${name}: ${spans.findLast((span) => span.name === name)?.why ?? ''}`);
  return { breach: state.breach, failing, attempts, spans };
}

async function pauseUntil(at: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.max(0, at - performance.now()), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function checksOf({ environment, services }: WatchByProgramTask): readonly DueCheck[] {
  return services.flatMap((service) =>
    (environment.services[service]?.health ?? [])
      .filter(({ http }) => http === undefined)
      .map((program) => ({ check: `${service}: ${program.name}`, service, program, at: 0 })),
  );
}

/** One attempt: null when it exits with 0, else why it did not, without a full stop. */
async function tryCheck(
  { sandbox, secrets }: Pick<JobTools, 'sandbox' | 'secrets'>,
  { repository, packed, environment, deployment, signal }: WatchByProgramTask,
  { service, program }: DueCheck,
  folder: string,
): Promise<string | null> {
  const output = createOutputTail();
  const given = { repository, commit: packed.commit, environment: environment.name, service, deployment };
  const {
    exitCode,
    signal: by,
    ended,
  } = await sandbox.run({
    argv: programOf(program),
    folder,
    env: { ...secrets.valuesFor(repository, program.secrets), ...deploymentVariables(given) },
    network: program.network,
    timeoutSeconds: program.timeout,
    signal,
    onOutput: (piece) => output.write(piece),
  });
  signal.throwIfAborted();
  if (exitCode === 0) return null;
  const said = output.text(SAID).trim().split('\n').at(-1) ?? '';
  const how = exitCode === null ? `it was ended: ${ended === 'signal' ? by : ended}` : `it exited with ${exitCode}`;
  return said === '' ? how : `${how}, and said: ${said}`;
}
