import { isRepositoryId } from '../git/repository.ts';

/** The events of a repository on its forge that matter to the index. */
export const REPOSITORY_EVENTS = ['pushed', 'appeared', 'moved', 'archived', 'deleted', 'hidden'] as const;

/** An event of one repository, as its forge reports it. */
export interface RepositoryEvent {
  /**
   * `pushed`: HEAD may have moved. `appeared`: created, unarchived, made visible. `moved`: renamed or transferred.
   * `hidden`: may no longer be accessible.
   */
  readonly kind: (typeof REPOSITORY_EVENTS)[number];
  /** For `moved`: its former id, or the pattern of all its former ids. */
  readonly from?: string;
  /** True when a repository of this name should be indexed, even if it is not yet. @default false */
  readonly wanted?: boolean;
  /** The forge's id of the message; duplicates count once. */
  readonly delivery?: string;
}

/** The argument of the signal `repositoryEvents`. */
export interface RepositoryEvents {
  /** In the order of arrival. */
  readonly events: readonly RepositoryEvent[];
}

/** A forge's event, with the repository it is about. */
export interface Delivery {
  /** The repository's id. */
  readonly repository: string;
  /** Seconds without another event before Longhaul acts, 0 to 3600. @default 10 */
  readonly quietSeconds?: number;
  readonly event: RepositoryEvent;
}

/** The argument of the signal `deliveries`. */
export interface Deliveries {
  /** In the order of arrival. */
  readonly deliveries: readonly Delivery[];
}

/** Parses signalled events, from the gateway or sent manually; drops invalid ones. */
export function readRepositoryEvents(given: unknown): RepositoryEvent[] {
  const events = typeof given === 'object' && given !== null && 'events' in given ? given.events : undefined;
  return Array.isArray(events) ? events.flatMap(readEvent) : [];
}

/** Parses signalled deliveries; drops invalid ones. */
export function readDeliveries(given: unknown): Delivery[] {
  const deliveries =
    typeof given === 'object' && given !== null && 'deliveries' in given ? given.deliveries : undefined;
  return Array.isArray(deliveries) ? deliveries.flatMap(readDelivery) : [];
}

/** Groups deliveries by repository, each group in order. */
export function byRepository(deliveries: readonly Delivery[]): ReadonlyMap<string, readonly Delivery[]> {
  return Map.groupBy(deliveries, ({ repository }) => repository);
}

function readDelivery(given: unknown): Delivery[] {
  if (typeof given !== 'object' || given === null) return [];
  const { repository, quietSeconds, event } = given as Record<string, unknown>;
  if (typeof repository !== 'string' || !isRepositoryId(repository)) return [];
  const isQuiet = typeof quietSeconds === 'number' && quietSeconds >= 0 && quietSeconds <= 3_600;
  const quiet = isQuiet ? { quietSeconds } : {};
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
