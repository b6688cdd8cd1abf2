import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { syncFolder } from '../../platform/whole-file.ts';

/**
 * A file to which entries are only added, each of which is on the disk before the change that it announces: after a crash,
 * also of the machine, it says what may have been changed. One process has it at a time.
 */
export interface Journal<Entry extends object> {
  /** The entries, the first one first, with those of processes before this one. */
  readonly entries: readonly Entry[];
  /**
   * Adds an entry, and resolves when it is on the disk; entries that are added at the same time share one wait for it, and
   * keep their order. Throws `DiskFailed`; then nothing more can be added, because it is unknown what is on the disk.
   */
  append(entry: Entry): Promise<void>;
  /** Resolves when everything that was added is on the disk, or has failed. */
  close(): Promise<void>;
}

/**
 * Opens a journal, or begins one; creates its folder. The rest of an entry that a killed process was writing is removed:
 * what it would have announced has not begun. `isEntry` checks what is read. Throws `DiskFailed`, also for a journal with
 * something else in it.
 */
export async function openJournal<Entry extends object>(
  file: string,
  isEntry: (value: unknown) => value is Entry,
): Promise<Journal<Entry>> {
  const handle = await named(file, async () => {
    await mkdir(dirname(file), { recursive: true });
    const opened = await open(file, 'a+', 0o600);
    await syncFolder(dirname(file));
    return opened;
  });
  try {
    const text = await named(file, () => handle.readFile('utf8'));
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) {
      await named(file, async () => {
        await handle.truncate(Buffer.byteLength(whole));
        await handle.sync();
      });
    }
    return journalOf(file, handle, readEntries(file, whole, isEntry));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function readEntries<Entry>(file: string, text: string, isEntry: (value: unknown) => value is Entry): Entry[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, at) => {
      const value = parsed(line);
      if (isEntry(value)) return value;
      throw new LonghaulError(
        'DiskFailed',
        `The journal ${file} is damaged in line ${at + 1}: look at what it is about, and then remove it.`,
      );
    });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function journalOf<Entry extends object>(file: string, handle: FileHandle, entries: Entry[]): Journal<Entry> {
  let waiting: { readonly line: string; readonly done: (error: unknown) => void }[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown = null;

  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      if (failure !== null) throw failure;
      await named(file, async () => {
        await handle.appendFile(batch.map(({ line }) => line).join(''));
        await handle.datasync();
      });
    } catch (error) {
      failure = error;
    }
    for (const { done } of batch) done(failure);
  }

  return {
    entries,
    append: (entry) =>
      new Promise((resolve, reject) => {
        const done = (error: unknown): void => {
          if (error !== null) return reject(error);
          entries.push(entry);
          resolve();
        };
        waiting.push({ line: `${JSON.stringify(entry)}\n`, done });
        writing = writing.then(writeWaiting);
      }),
    async close() {
      await writing;
      await handle.close();
    },
  };
}

async function named<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new LonghaulError('DiskFailed', `The journal ${file} cannot be used: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
