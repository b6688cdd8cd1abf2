import { isRepositoryId, providerOf } from './repository.ts';

/** What can happen to a repository on its forge, as far as it matters to the index. */
export const REPOSITORY_EVENTS = ['pushed', 'appeared', 'moved', 'archived', 'deleted', 'hidden'] as const;

/** What a forge says happened to one repository. */
export interface RepositoryEvent {
  /**
   * `pushed`: HEAD is elsewhere, or may be. `appeared`: created, unarchived, made visible. `moved`: renamed or transferred.
   * `hidden`: perhaps out of our sight.
   */
  readonly kind: (typeof REPOSITORY_EVENTS)[number];
  /** Of `moved`: the id, or the pattern of all ids, that it had. */
  readonly from?: string;
  /** True when a repository of this name is to be in the index, whether or not it is in it. @default false */
  readonly wanted?: boolean;
  /** What the forge calls its message: one that comes twice counts once. */
  readonly delivery?: string;
}

/** The argument of the signal `repositoryEvents`. */
export interface RepositoryEvents {
  /** In the order in which they came. */
  readonly events: readonly RepositoryEvent[];
}

/** What a forge says, and of which repository. */
export interface Delivery extends FollowInput {
  readonly event: RepositoryEvent;
}

/** The argument of the signal `deliveries`. */
export interface Deliveries {
  /** In the order in which they came. */
  readonly deliveries: readonly Delivery[];
}

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
  | { readonly flow: 'syncRepository'; readonly input: { readonly repository: string; readonly onlyIndexed: true } }
  | { readonly flow: 'verifyRepository'; readonly input: { readonly repository: string; readonly repair: true } }
  | {
      readonly flow: 'syncRepositories' | 'onboardRepositories' | 'removeRepositories';
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
    { flow: 'syncRepositories', input: { patterns: [from] } },
    // transferred to where nobody shows it to us: then it is gone
    ...(isPattern(from) ? [] : [verification(from)]),
  ]);
  // an organization is only ever renamed: nothing that is said of it takes out all that it has
  if (isWithdrawn && !isPattern(repository)) {
    steps.push({ flow: 'removeRepositories', input: { patterns: [repository] } });
  }
  // also after a removal: the message may be older than a repository that was created anew
  if (of('appeared', 'moved', 'archived', 'deleted').some(({ wanted }) => wanted)) {
    steps.push({ flow: 'onboardRepositories', input: { patterns: [repository] } });
  }
  if (of('hidden').length > 0 && !isWithdrawn) steps.push(verification(repository));
  if (of('pushed').length > 0) {
    steps.push({ flow: 'syncRepository', input: { repository, onlyIndexed: true } });
  }
  return steps;
}

function verification(repository: string): FollowStep {
  return { flow: 'verifyRepository', input: { repository, repair: true } };
}

function isPattern(id: string): boolean {
  return /[*?]/.test(id);
}

/** Events as they were signalled, by the gateway or by hand, without those that are none. */
export function readRepositoryEvents(given: unknown): RepositoryEvent[] {
  const events = typeof given === 'object' && given !== null && 'events' in given ? given.events : undefined;
  return Array.isArray(events) ? events.flatMap(readEvent) : [];
}

/** Deliveries as they were signalled, without those that are none. */
export function readDeliveries(given: unknown): Delivery[] {
  const deliveries =
    typeof given === 'object' && given !== null && 'deliveries' in given ? given.deliveries : undefined;
  return Array.isArray(deliveries) ? deliveries.flatMap(readDelivery) : [];
}

/** Deliveries by the repository that they are about, each in order. */
export function byRepository(deliveries: readonly Delivery[]): ReadonlyMap<string, readonly Delivery[]> {
  return Map.groupBy(deliveries, ({ repository }) => repository);
}

function readDelivery(given: unknown): Delivery[] {
  if (typeof given !== 'object' || given === null) return [];
  const { repository, quietSeconds, event } = given as Record<string, unknown>;
  if (typeof repository !== 'string' || !isRepositoryId(repository)) return [];
  const quiet = typeof quietSeconds === 'number' ? { quietSeconds } : {};
  return readEvent(event).map((read) => ({ repository, ...quiet, event: read }));
}

function readEvent(given: unknown): RepositoryEvent[] {
  if (typeof given !== 'object' || given === null) return [];
  const { kind, from, wanted, delivery } = given as Record<string, unknown>;
  const known = REPOSITORY_EVENTS.find((name) => name === kind);
  const former = typeof from === 'string' && isRepositoryId(from) ? from : null;
  if (known === undefined || (known === 'moved' && former === null)) return [];
  return [
    {
      kind: known,
      ...(former === null ? {} : { from: former }),
      ...(wanted === true ? { wanted } : {}),
      ...(typeof delivery === 'string' ? { delivery: delivery.slice(0, 200) } : {}),
    },
  ];
}
