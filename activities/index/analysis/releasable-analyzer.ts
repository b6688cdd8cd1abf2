import type { Analyzer } from './analyzer.ts';

/** An analyzer that can give back its threads, memory and files, and opens again when it is needed again. */
export interface ReleasableAnalyzer extends Analyzer {
  /** True while it holds threads, memory or files. */
  isOpen(): boolean;
  /** Closes it at once, or when the last call in progress has ended. The next call opens it again. */
  release(): Promise<void>;
}

/**
 * The analyzer that `open` opens, now and again after each release. Every time it must have the same digests, and its `close`
 * may be called repeatedly. Rejects when it cannot be opened.
 */
export async function createReleasableAnalyzer(open: () => Promise<Analyzer>): Promise<ReleasableAnalyzer> {
  let latest = await open();
  /** Null after a release. */
  let current: Promise<Analyzer> | null = Promise.resolve(latest);
  let users = 0;
  let isUnwanted = false;

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
      if (isUnwanted) await release();
    }
  }

  async function release(): Promise<void> {
    isUnwanted = users > 0;
    if (isUnwanted) return;
    current = null;
    await latest.close();
  }

  return {
    digest: latest.digest,
    modelDigest: latest.modelDigest,
    dimensions: latest.dimensions,
    // they open a file at most, which the next release closes
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
