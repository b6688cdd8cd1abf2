import { ApplicationFailure, continueAsNew, defineSignal, sleep, workflowInfo } from '@temporalio/workflow';
import type { CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import type { RepositoryFailure } from '../../domain/fleet/failure.ts';
import {
  type FollowInput,
  followProgress,
  type FollowResult,
  type FollowStage,
  type FollowStep,
  stepsAfter,
} from '../../domain/catalog/flows/follow.ts';
import { readRepositoryEvents, type RepositoryEvent } from '../../domain/forge/repository-event.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import { repositoryBusy, repositoryLock } from '../../domain/catalog/flows/inputs.ts';
import { isOwnCancellation, runLocked } from '../shared/child.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';
import { onboardRepositoriesFlow, removeRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { followRepositoryFlow } from '../../domain/catalog/flows/follow-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';
import { answerProgress } from '../shared/progress.ts';
import { collected } from '../shared/quiet.ts';

/** An event of the repository: {@link RepositoryEvents}. */
const repositoryEvents = defineSignal<[unknown]>('repositoryEvents');

/** The flow acts after this long, even if messages keep arriving. */
const LONGEST_MS = 60_000;
/** Number of delivery ids that are recognised as duplicates. */
const DELIVERIES_KEPT = 500;
/** Pauses while another run has the repository's lock. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** Longer than any run may take: after it, the repository is left to the next sync. */
const GIVE_UP_MS = 25 * 3_600_000;

/** State passed to the next run. Plain JSON. */
interface FollowState {
  readonly pending: readonly RepositoryEvent[];
  readonly deliveries: readonly string[];
  readonly events: number;
  readonly rounds: number;
  /** The last failure of each flow. */
  readonly failed: Readonly<Partial<Record<FollowStep['flow'], RepositoryFailure | null>>>;
}

/**
 * Follows the events of one repository on its forge: waits for a quiet period, acts on all pending events together, and
 * ends when no more have arrived. Started with its signal, under the id `follow/<repository id>`, so that a burst of
 * pushes becomes few syncs and none is lost. It waits for another run on the repository, which may have read HEAD
 * before the push. Fails with the first failure.
 */
export async function followRepository(
  input: FollowInput & { readonly continued?: FollowState },
): Promise<FollowResult> {
  const { continuedFromExecutionRunId } = workflowInfo();
  const { continued, ...given } = input ?? {};
  const carried = continuedFromExecutionRunId === undefined ? undefined : continued;
  let state: FollowState = carried ?? { pending: [], deliveries: [], events: 0, rounds: 0, failed: {} };
  let stage: FollowStage = 'waiting for quiet';
  let quietMs = 0;
  const inbox = collected(repositoryEvents, state.pending, {
    description: 'What happened to the repository: {"events": [{"kind": "pushed"}]}',
    patience: () => ({ quietMs, longestMs: LONGEST_MS }),
    add: (pending, signalled) => {
      const before = state.events;
      for (const event of readRepositoryEvents(signalled)) {
        const { kind, delivery } = event;
        if (delivery !== undefined && state.deliveries.includes(delivery)) continue;
        const deliveries = [...state.deliveries, ...(delivery === undefined ? [] : [delivery])];
        state = { ...state, events: state.events + 1, deliveries: deliveries.slice(-DELIVERIES_KEPT) };
        // repeated pushes count once; of other equal events only the last one counts
        const same = pending.findIndex((known) => isSameEvent(known, event));
        if (kind === 'pushed' && same >= 0) continue;
        if (same >= 0) pending.splice(same, 1);
        pending.push(event);
      }
      return state.events > before;
    },
  });
  const counts = (): Omit<FollowResult, 'stage'> => {
    return { events: state.events, rounds: state.rounds, pending: inbox.pending.length };
  };
  answerProgress(() => followProgress(stage, counts()));
  const { repository, quietSeconds } = await checked(followRepositoryFlow, given);
  quietMs = quietSeconds * 1_000;

  do {
    stage = 'waiting for quiet';
    const events = await inbox.take();
    stage = 'working';
    const steps = [...stepsAfter(repository, events)];
    for (let step = steps.shift(); step; step = steps.shift()) {
      const {
        failures: [failure = null],
        matched,
      } = await completeStep(step, repository);
      state = { ...state, failed: { ...state.failed, [step.flow]: failure } };
      // the message may be late: index the repository again if it was in the index and still exists
      if (step.flow === removeRepositoriesFlow.type && matched > 0 && isPatched('what-is-there-comes-back')) {
        if (!steps.some(({ flow }) => flow === onboardRepositoriesFlow.type)) {
          steps.unshift({ flow: onboardRepositoriesFlow.type, input: { patterns: [repository] } });
        }
      }
    }
    state = { ...state, rounds: state.rounds + 1 };
    if (inbox.pending.length > 0 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof followRepository>({
        ...given,
        repository,
        continued: { ...state, pending: [...inbox.pending] },
      });
    }
  } while (inbox.pending.length > 0);
  stage = 'done';
  const failure = Object.values(state.failed).find((known) => known !== null);
  if (failure) throw ApplicationFailure.nonRetryable(failure.error, failure.type);
  return { stage, ...counts() };
}

function isSameEvent(a: RepositoryEvent, b: RepositoryEvent): boolean {
  return a.kind === b.kind && (a.kind === 'pushed' || (a.from === b.from && a.wanted === b.wanted));
}

/** The result of a step. */
interface StepOutcome {
  readonly failures: readonly RepositoryFailure[];
  /** Number of repositories that matched; 0 for a step about this repository alone. */
  readonly matched: number;
}

/** Runs one step as soon as no other run works on the repository. */
async function completeStep(step: FollowStep, repository: string): Promise<StepOutcome> {
  const giveUp = Date.now() + GIVE_UP_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(step, repository);
    const isBusy = outcome.failures.some(({ type }) => type === 'RepositoryBusy');
    if (!isBusy || Date.now() > giveUp) return outcome;
    logEvent('repo_busy', { repo: repositoryName(repository) });
    await sleep(pause, { summary: `another run works on ${repositoryName(repository)}` });
  }
}

async function attempt({ flow, input }: FollowStep, repository: string): Promise<StepOutcome> {
  try {
    const { failures = [], matched = 0 } = await runLocked<Partial<CatalogFleetResult>>({
      type: flow,
      input,
      workflowId: flow === syncRepositoryFlow.type ? repositoryLock(repository) : `follow/${repository}/${flow}`,
      summary: `${flow} ${repositoryName(repository)}`,
      busy: repositoryBusy(repository),
    });
    return { failures, matched };
  } catch (error) {
    if (isOwnCancellation(error)) throw error;
    return { failures: [{ repository, ...failureOf(error) }], matched: 0 };
  }
}
