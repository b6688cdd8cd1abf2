import type { Argument, Option } from 'commander';
import type { CliContext } from '../../core/context.ts';

/** A value that a shell can insert. */
export interface Suggestion {
  readonly value: string;
  /** Shown next to it by zsh and fish; empty for none. */
  readonly description: string;
}

/**
 * Reads the values that an option or argument can have now. May throw; `signal` ends it. Its modules should load fast:
 * a person waits for it after every Tab.
 */
export type ReadValues = (context: CliContext, signal: AbortSignal) => Promise<readonly Suggestion[]>;

const readers = new WeakMap<Option | Argument, ReadValues>();

/** Says how the values of an option or argument are completed. Returns the option or argument. */
export function completedBy<Item extends Option | Argument>(item: Item, read: ReadValues): Item {
  readers.set(item, read);
  return item;
}

/** How the values of an option or argument are completed; undefined when {@link completedBy} said nothing. */
export function readerOf(item: Option | Argument): ReadValues | undefined {
  return readers.get(item);
}
