import type { Analyzer } from './analyzer.ts';

/** An analyzer that can release its threads, memory and files, and opens again on its next use. */
export interface ReleasableAnalyzer extends Analyzer {
  /** True while it has threads, memory or files. */
  isOpen(): boolean;
  /** Closes it immediately, or when the last call in progress has ended. The next call opens it again. */
  release(): Promise<void>;
}

/**
 * An analyzer that `open` opens, first now and again after each release. `open` must always return the same digests,
 * and an analyzer whose `close` may be called repeatedly. Rejects when it cannot be opened.
 */
export async function createReleasableAnalyzer(open: () => Promise<Analyzer>): Promise<ReleasableAnalyzer> {
  let latest = await open();
  /** Null after a release. */
  let current: Promise<Analyzer> | null = Promise.resolve(latest);
  let users = 0;
  let isReleasing = false;

  function get(): Promise<Analyzer> {
    if (current !== null) return current;
    const opening = open();
    current = opening;
    opening.then(
      (analyzer) => (latest = analyzer),
      () => (current = null),
    );
    return opening;
  }

  async function using<Result>(work: (analyzer: Analyzer) => Promise<Result>): Promise<Result> {
    users++;
    try {
      return await work(await get());
    } finally {
      users--;
      if (isReleasing) await release();
    }
  }

  async function release(): Promise<void> {
    isReleasing = users > 0;
    if (isReleasing) return;
    current = null;
    await latest.close();
  }

  return {
    digest: latest.digest,
    modelDigest: latest.modelDigest,
    dimensions: latest.dimensions,
    // these open at most a file, which the next release closes
    counts: { get: (file) => latest.counts.get(file), put: (files) => latest.counts.put(files) },
    analyze: (...call) => using((analyzer) => analyzer.analyze(...call)),
    countChunks: (...call) => using((analyzer) => analyzer.countChunks(...call)),
    embedQuery: (...call) => using((analyzer) => analyzer.embedQuery(...call)),
    isOpen: () => current !== null,
    release,
    async close() {
      await current?.catch(() => undefined);
      await latest.close();
    },
  };
}
