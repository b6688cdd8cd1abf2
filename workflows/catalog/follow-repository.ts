import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  continueAsNew,
  defineSignal,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { FleetResult, RepositoryFailure } from '../../domain/fleet/fleet.ts';
import { type FollowInput, type FollowResult, type FollowStep, stepsAfter } from '../../domain/catalog/flows/follow.ts';
import { readRepositoryEvents, type RepositoryEvent } from '../../domain/forge/repository-event.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import { tell } from '../shared/events.ts';
import { busy, failureOf } from '../shared/failure.ts';
import { onboardRepositoriesFlow, removeRepositoriesFlow } from '../../domain/catalog/flows/fleet-flows.ts';
import { followRepositoryFlow } from '../../domain/catalog/flows/follow-flows.ts';
import { syncRepositoryFlow } from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { collected } from '../shared/quiet.ts';
import { lockOf } from './lock.ts';
import { progressQuery } from './messages.ts';

/** Something happened to the repository: {@link RepositoryEvents}. */
const repositoryEvents = defineSignal<[unknown]>('repositoryEvents');

/** However much comes, something is done after this long. */
const LONGEST_MS = 60_000;
/** Messages that are known again when they come a second time. */
const DELIVERIES_KEPT = 500;
/** Pauses while another run holds the repository. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** A repository that is held for longer than any run may take is left to the next sync. */
const GIVE_UP_MS = 25 * 3_600_000;

/** What one run hands to the next. Plain JSON. */
interface FollowState {
  readonly pending: readonly RepositoryEvent[];
  readonly deliveries: readonly string[];
  readonly events: number;
  readonly rounds: number;
  /** What each flow failed with when it was last needed. */
  readonly failed: Readonly<Partial<Record<FollowStep['flow'], RepositoryFailure | null>>>;
}

/**
 * Keeps the index with what a forge says happened to one repository: waits until nothing comes any more, does what is to be
 * done about all of it at once, and ends when nothing came meanwhile. Started with its signal, under the id
 * `follow/<repository id>`, so a burst of pushes becomes few syncs and none is lost. One that another run works on is waited
 * for: that run may have looked before the push. Ends with the first failure when something could not be done.
 */
export async function followRepository(
  input: FollowInput & { readonly continued?: FollowState },
): Promise<FollowResult> {
  const { continuedFromExecutionRunId } = workflowInfo();
  const { continued, ...given } = input ?? {};
  const carried = continuedFromExecutionRunId === undefined ? undefined : continued;
  let state: FollowState = carried ?? { pending: [], deliveries: [], events: 0, rounds: 0, failed: {} };
  let stage: FollowResult['stage'] = 'waiting for quiet';
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
        // one push says as much as a hundred; of others only what was said last counts
        const same = pending.findIndex((known) => saysTheSame(known, event));
        if (kind === 'pushed' && same >= 0) continue;
        if (same >= 0) pending.splice(same, 1);
        pending.push(event);
      }
      return state.events > before;
    },
  });
  const progress = (): FollowResult => {
    return { stage, events: state.events, rounds: state.rounds, pending: inbox.pending.length };
  };
  setHandler(progressQuery, progress, { description: 'What the flow is doing and what came so far' });
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
      } = await done(step, repository);
      state = { ...state, failed: { ...state.failed, [step.flow]: failure } };
      // the message may be late: what was in the index and is there after all comes back
      if (step.flow === removeRepositoriesFlow.type && matched > 0 && patched('what-is-there-comes-back')) {
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
  return progress();
}

function saysTheSame(a: RepositoryEvent, b: RepositoryEvent): boolean {
  return a.kind === b.kind && (a.kind === 'pushed' || (a.from === b.from && a.wanted === b.wanted));
}

/** What a step came to. */
interface StepOutcome {
  readonly failures: readonly RepositoryFailure[];
  /** Repositories that it was about; 0 for a step that is about this one alone. */
  readonly matched: number;
}

/** Does one step, as soon as nobody else works on the repository. Gives what failed for another reason. */
async function done(step: FollowStep, repository: string): Promise<StepOutcome> {
  const giveUp = Date.now() + GIVE_UP_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(step, repository);
    const isBusy = outcome.failures.some(({ type }) => type === 'RepositoryBusy');
    if (!isBusy || Date.now() > giveUp) return outcome;
    tell('repo_busy', { repo: repositoryName(repository) });
    await sleep(pause, { summary: `another run works on ${repositoryName(repository)}` });
  }
}

async function attempt(step: FollowStep, repository: string): Promise<StepOutcome> {
  const { flow, input } = step;
  try {
    const result = await executeChild<(input: object) => Promise<object>>(flow, {
      workflowId: flow === syncRepositoryFlow.type ? lockOf(repository).workflowId : `follow/${repository}/${flow}`,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `${flow} ${repositoryName(repository)}`.slice(0, 200),
    });
    const { failures = [], matched = 0 } = result as Partial<FleetResult>;
    return { failures, matched };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { failures: [busy(repository)], matched: 0 };
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return { failures: [failureOf(repository, error)], matched: 0 };
  }
}
