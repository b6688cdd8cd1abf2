import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import {
  type CheckSpan,
  deploymentVariables,
  type ProgramsWatched,
  withAttempt,
} from '../../../domain/release/deployment/hook.ts';
import { watched, WATCHED_NOTHING, type WatchState } from '../../../domain/release/deployment/watch.ts';
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
  /** Milliseconds since 1970. In the past: each check is tried once. */
  readonly until: number;
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
  readonly name: string;
  readonly service: string;
  readonly check: Check;
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
 * Every check is tried at least once. Throws `SecretNotAllowed`, `NetworkNotAllowed`, and the reason of the signal.
 */
export async function watchByProgram(
  tools: Omit<JobTools, 'artifactBytes' | 'blobs'>,
  task: WatchByProgramTask,
): Promise<ProgramsWatched> {
  const { repository, packed, environment, signal, until } = task;
  const due = checksOf(task);
  let soFar: WatchedSoFar = task.before ?? { state: WATCHED_NOTHING, spans: [], attempts: 0 };
  const rules = { failedChecks: environment.failed_checks, errorRate: 1, slowdown: Infinity, leastRequests: 0 };
  const limit = pLimit(IN_PARALLEL);
  const inFolder = { packed, about: repository, name: 'check', signal };
  if (due.length > 0 && soFar.state.breach === null) {
    await inCheckout(tools, inFolder, async (folder) => {
      await tools.sandbox.give(folder);
      for (;;) {
        const first = Math.min(...due.map(({ at }) => at));
        // the first round is made in any case
        if (first > 0 && first >= until) return;
        await pauseUntil(first, signal);
        const began = Date.now();
        const round = due.filter(({ at }) => at <= began);
        for (const each of round) each.at = began + each.check.interval * 1_000;
        await Promise.all(
          round.map((each) =>
            limit(async () => {
              const why = await tryCheck(tools, task, each, folder);
              const attempt = { name: each.name, ok: why === null, why: why ?? '' };
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
    .filter(({ name }) => (state.failing[name] ?? 0) > 0)
    .map(({ name }) => `${name}: ${spans.findLast((span) => span.name === name)?.why ?? ''}`);
  return { breach: state.breach, failing, attempts, spans };
}

async function pauseUntil(at: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.max(0, at - Date.now()), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function checksOf({ environment, services }: WatchByProgramTask): readonly DueCheck[] {
  return services.flatMap((service) =>
    (environment.services[service]?.health ?? [])
      .filter(({ http }) => http === undefined)
      .map((check) => ({ name: `${service}: ${check.name}`, service, check, at: 0 })),
  );
}

/** One attempt: null when it exits with 0, else why it did not, without a full stop. */
async function tryCheck(
  { sandbox, secrets }: Pick<JobTools, 'sandbox' | 'secrets'>,
  { repository, packed, environment, deployment, signal }: WatchByProgramTask,
  { service, check }: DueCheck,
  folder: string,
): Promise<string | null> {
  const output = createOutputTail();
  const given = { repository, commit: packed.commit, environment: environment.name, service, deployment };
  const {
    exitCode,
    signal: by,
    ended,
  } = await sandbox.run({
    argv: programOf(check),
    folder,
    env: { ...secrets.valuesFor(repository, check.secrets), ...deploymentVariables(given) },
    network: check.network,
    timeoutSeconds: check.timeout,
    signal,
    onOutput: (piece) => output.write(piece),
  });
  signal.throwIfAborted();
  if (exitCode === 0) return null;
  const said = output.text(SAID).trim().split('\n').at(-1) ?? '';
  const how = exitCode === null ? `it was ended: ${ended === 'signal' ? by : ended}` : `it exited with ${exitCode}`;
  return said === '' ? how : `${how}, and said: ${said}`;
}
