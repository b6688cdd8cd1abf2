import type { RepositoryEvent } from '../../forge/repository-event.ts';
import { providerOf } from '../../git/repository.ts';
import { onboardRepositoriesFlow, removeRepositoriesFlow, syncRepositoriesFlow } from './fleet-flows.ts';
import { syncRepositoryFlow, verifyRepositoryFlow } from './repository-flows.ts';

/** Input of `followRepository`. */
export interface FollowInput {
  /** The repository's id. */
  readonly repository: string;
  /** How long nothing must have come before something is done, in seconds, 0 to 3600. @default 10 */
  readonly quietSeconds?: number;
}

/** Result of `followRepository`; while it runs, the answer of its query `progress`. */
export interface FollowResult {
  readonly stage: 'waiting for quiet' | 'working' | 'done';
  /** Messages that were taken in, without those that came twice. */
  readonly events: number;
  /** How often something was done about them. */
  readonly rounds: number;
  /** Messages that nothing was done about yet. */
  readonly pending: number;
}

/** One thing to do about a repository, as the flow and the input that do it. */
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
 * What is to be done after all of these events, in the order in which they came. A message says where to look, the forge
 * itself what is true: one that is late or comes again leads to the same index.
 */
export function stepsAfter(repository: string, events: readonly RepositoryEvent[]): FollowStep[] {
  const of = (...kinds: readonly RepositoryEvent['kind'][]): RepositoryEvent[] =>
    events.filter(({ kind }) => kinds.includes(kind));
  // a forge says nothing of what another provider has
  const near = of('moved').flatMap(({ from = '' }) => (providerOf(from) === providerOf(repository) ? [from] : []));
  const formerly = [...new Set(near)];
  const present = of('appeared', 'archived', 'deleted').at(-1);
  const isWithdrawn = present !== undefined && present.kind !== 'appeared';
  const steps: FollowStep[] = formerly.flatMap((from): FollowStep[] => [
    { flow: syncRepositoriesFlow.type, input: { patterns: [from] } },
    // transferred to where nobody shows it to us: then it is gone
    ...(isPattern(from) ? [] : [verification(from)]),
  ]);
  // an organization is only ever renamed: nothing that is said of it takes out all that it has
  if (isWithdrawn && !isPattern(repository)) {
    steps.push({ flow: removeRepositoriesFlow.type, input: { patterns: [repository] } });
  }
  // also after a removal: the message may be older than a repository that was created anew
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
