import type { RepositoryEvent } from '../../forge/repository-event.ts';
import { providerOf } from '../../git/repository.ts';
import type { FlowProgress } from '../../shared/progress.ts';
import { onboardRepositoriesFlow, removeRepositoriesFlow, syncRepositoriesFlow } from './fleet-flows.ts';
import { syncRepositoryFlow, verifyRepositoryFlow } from './repository-flows.ts';

/** Input of `followRepository`. */
export interface FollowInput {
  /** The repository's id. */
  readonly repository: string;
  /** Seconds without messages before the flow acts, 0 to 3600. @default 10 */
  readonly quietSeconds?: number;
}

/** The stage of a `followRepository`. */
export type FollowStage = 'waiting for quiet' | 'working' | 'done';

/** Result of `followRepository`. */
export interface FollowResult {
  readonly stage: FollowStage;
  /** Messages received, without duplicates. */
  readonly events: number;
  /** How often the flow has acted on them. */
  readonly rounds: number;
  /** Messages not yet processed. */
  readonly pending: number;
}

/** The progress of a `followRepository`. */
export function followProgress(
  stage: FollowStage,
  { events, rounds, pending }: Omit<FollowResult, 'stage'>,
): FlowProgress {
  return { stage, done: events - pending, total: events, unit: 'events', lines: [`${rounds} rounds`], asks: null };
}

/** One action for a repository, as a flow and its input. */
export type FollowStep =
  | {
      readonly flow: typeof syncRepositoryFlow.type;
      readonly input: { readonly repository: string; readonly onlyIndexed: true };
    }
  | {
      readonly flow: typeof verifyRepositoryFlow.type;
      readonly input: { readonly repository: string; readonly repair: true };
    }
  | {
      readonly flow:
        | typeof syncRepositoriesFlow.type
        | typeof onboardRepositoriesFlow.type
        | typeof removeRepositoriesFlow.type;
      readonly input: { readonly patterns: readonly string[] };
    };

/**
 * The actions after these events, in order of arrival. An event only says where to look; the state is read from the
 * forge. So a late or repeated message leads to the same index.
 */
export function stepsAfter(repository: string, events: readonly RepositoryEvent[]): FollowStep[] {
  const of = (...kinds: readonly RepositoryEvent['kind'][]): RepositoryEvent[] =>
    events.filter(({ kind }) => kinds.includes(kind));
  // a forge reports nothing about other providers' repositories
  const near = of('moved').flatMap(({ from = '' }) => (providerOf(from) === providerOf(repository) ? [from] : []));
  const formerly = [...new Set(near)];
  const present = of('appeared', 'archived', 'deleted').at(-1);
  const isWithdrawn = present !== undefined && present.kind !== 'appeared';
  const steps: FollowStep[] = formerly.flatMap((from): FollowStep[] => [
    { flow: syncRepositoriesFlow.type, input: { patterns: [from] } },
    // transferred to a place that we cannot see: treated as gone
    ...(isPattern(from) ? [] : [verification(from)]),
  ]);
  // organizations are only renamed: no message removes everything in one
  if (isWithdrawn && !isPattern(repository)) {
    steps.push({ flow: removeRepositoriesFlow.type, input: { patterns: [repository] } });
  }
  // also after a removal: the message may be older than a re-created repository
  if (of('appeared', 'moved', 'archived', 'deleted').some(({ wanted }) => wanted)) {
    steps.push({ flow: onboardRepositoriesFlow.type, input: { patterns: [repository] } });
  }
  if (of('hidden').length > 0 && !isWithdrawn) steps.push(verification(repository));
  if (of('pushed').length > 0) {
    steps.push({ flow: syncRepositoryFlow.type, input: { repository, onlyIndexed: true } });
  }
  return steps;
}

function verification(repository: string): FollowStep {
  return { flow: verifyRepositoryFlow.type, input: { repository, repair: true } };
}

function isPattern(id: string): boolean {
  return /[*?]/.test(id);
}
