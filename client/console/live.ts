import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../platform/sha256.ts';
import { createReused, type Reused } from '../../activities/shared/reused.ts';

/** Limits of live pages. */
export interface LiveLimits {
  /** Concurrent streams. */
  readonly most: number;
  /** Milliseconds between two looks at a page. */
  readonly everyMs: number;
  /** Milliseconds without a change after which the stream shows that it is alive. */
  readonly silentMs: number;
  /** Milliseconds after which a stream ends, so that the browser opens another with the credentials it then has. */
  readonly lastsMs: number;
}

/** A connection that is silent for 90 seconds is closed (`CONNECTION_LIMITS`). */
export const LIVE_LIMITS: LiveLimits = { most: 64, everyMs: 2_000, silentMs: 20_000, lastsMs: 600_000 };

/** The streams of live pages. */
export interface LivePages {
  /**
   * Follows a page: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) named
   * `content`, whose data is the HTML as a JSON string and whose id is its {@link contentId}, whenever it is not the
   * content that the browser has (`seen`). Streams with the same key share what `render` returns. Null when there are
   * too many streams.
   */
  follow(page: FollowedPage): Readable | null;
  /** Ends all streams. */
  close(): void;
}

/** A page that a browser follows. */
export interface FollowedPage {
  readonly key: string;
  /** {@link contentId} of what the browser has. */
  readonly seen: string;
  /** Its content now. */
  readonly render: () => Promise<string>;
}

/** The identity of a content. */
export function contentId(content: string): string {
  return sha256(content).slice(0, 16);
}

/** Creates the streams of live pages. */
export function createLivePages(limits: LiveLimits = LIVE_LIMITS): LivePages {
  const closing = new AbortController();
  const shared = new Map<string, { readonly content: Reused<string>; followers: number }>();
  let open = 0;

  async function* events(content: Reused<string>, seen: string, signal: AbortSignal): AsyncGenerator<string, void> {
    const ends = performance.now() + limits.lastsMs;
    let last = seen;
    let saidAt = performance.now();
    yield 'retry: 3000\n\n';
    while (!signal.aborted && performance.now() < ends) {
      const now = await content.get();
      const id = contentId(now);
      if (id !== last) {
        yield `id: ${id}\nevent: content\ndata: ${JSON.stringify(now)}\n\n`;
        last = id;
        saidAt = performance.now();
      } else if (performance.now() - saidAt > limits.silentMs) {
        saidAt = performance.now();
        yield ': alive\n\n';
      }
      await sleep(limits.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    follow({ key, seen, render }) {
      if (open >= limits.most || closing.signal.aborted) return null;
      open++;
      const page = shared.get(key) ?? { content: createReused(render, limits.everyMs / 2), followers: 0 };
      page.followers++;
      shared.set(key, page);
      const left = new AbortController();
      const pieces = events(page.content, seen, AbortSignal.any([left.signal, closing.signal]));
      const stream: Readable = new Readable({
        highWaterMark: 1,
        read: () => void pushNext(stream, pieces),
        destroy(error, done) {
          // ends the wait between two looks
          left.abort();
          open--;
          page.followers--;
          if (page.followers === 0) shared.delete(key);
          done(error);
        },
      });
      return stream;
    },
    close: () => closing.abort(),
  };
}

async function pushNext(stream: Readable, pieces: AsyncGenerator<string, void>): Promise<void> {
  try {
    const { value } = await pieces.next();
    stream.push(value ?? null);
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
