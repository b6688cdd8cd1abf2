import { isRepositoryId } from '../git/repository.ts';

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
export interface Delivery {
  /** The repository's id. */
  readonly repository: string;
  /** Seconds without another event before Longhaul acts, 0 to 3600. @default 10 */
  readonly quietSeconds?: number;
  readonly event: RepositoryEvent;
}

/** The argument of the signal `deliveries`. */
export interface Deliveries {
  /** In the order in which they came. */
  readonly deliveries: readonly Delivery[];
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
