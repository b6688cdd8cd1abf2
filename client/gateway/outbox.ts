import type { RepositoryEvent } from '../../domain/catalog/follow.ts';

/** Most events that go together: far below what a signal may carry. */
const LARGEST_BATCH = 500;

/** Hands an event over; resolves when the flow of the repository has it. */
export type Outbox = (repository: string, event: RepositoryEvent) => Promise<void>;

interface Batch {
  readonly events: RepositoryEvent[];
  readonly sent: Promise<void>;
}

/**
 * Hands over what comes for a repository one request after another: whatever comes meanwhile goes together with the next. So
 * a single event waits for nobody, and a burst costs no more requests than the server answers.
 */
export function createOutbox(tell: (repository: string, events: readonly RepositoryEvent[]) => Promise<unknown>): Outbox {
  /** The batch of each repository that is not on its way yet, and when the latest will have been handed over. */
  const open = new Map<string, Batch>();
  const handedOver = new Map<string, Promise<void>>();

  function begin(repository: string): Batch {
    const events: RepositoryEvent[] = [];
    // one that failed was answered to those who were in it
    const before = (handedOver.get(repository) ?? Promise.resolve()).catch(() => undefined);
    const sent = before.then(async () => {
      if (open.get(repository) === batch) open.delete(repository);
      await tell(repository, events);
    });
    const batch: Batch = { events, sent };
    const forget = (): void => {
      if (handedOver.get(repository) === sent) handedOver.delete(repository);
    };
    sent.then(forget, forget);
    open.set(repository, batch);
    handedOver.set(repository, sent);
    return batch;
  }

  return (repository, event) => {
    const joined = open.get(repository);
    const batch = joined !== undefined && joined.events.length < LARGEST_BATCH ? joined : begin(repository);
    batch.events.push(event);
    return batch.sent;
  };
}
