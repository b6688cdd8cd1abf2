import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { contentId, createLivePages, type LiveLimits } from '../../../client/console/live.ts';

const QUICK: LiveLimits = { most: 2, everyMs: 2, silentMs: 10, lastsMs: 60_000 };

/** The next event of a stream that has this text in it. */
async function eventWith(stream: Readable, text: string): Promise<string> {
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    if (String(piece).includes(text)) return String(piece);
  }
  return expect.fail(`the stream ended without ${text}`);
}

function followed(key: string, content: () => string, seen = contentId(content())) {
  return { key, seen, render: () => Promise.resolve(content()) };
}

describe('streams of live pages', () => {
  test('a content is sent when it is not what the browser has, with its identity', async () => {
    let content = '<p>one</p>';
    const stream = createLivePages(QUICK).follow(followed('page', () => content));
    expect(await eventWith(stream as Readable, 'alive')).toBe(': alive\n\n');
    content = '<p>two\nlines</p>';
    expect(await eventWith(stream as Readable, 'event: content')).toBe(
      `id: ${contentId(content)}\nevent: content\ndata: ${JSON.stringify(content)}\n\n`,
    );
    stream?.destroy();
  });

  test('a browser that has an older content gets the current one at once', async () => {
    const stream = createLivePages(QUICK).follow(followed('page', () => 'new', contentId('old')));
    expect(await eventWith(stream as Readable, 'event: content')).toContain('data: "new"');
    stream?.destroy();
  });

  test('streams of one page share its reading, those of another page do not', async () => {
    const read = { one: 0, two: 0 };
    const live = createLivePages({ ...QUICK, everyMs: 60_000 });
    const page = (key: 'one' | 'two', seen: string) => ({
      key,
      seen,
      render: async () => `${key} ${++read[key]}`,
    });
    const streams = [live.follow(page('one', 'a')), live.follow(page('one', 'b'))];
    for (const stream of streams) expect(await eventWith(stream as Readable, 'event: content')).toContain('"one 1"');
    streams[1]?.destroy();
    await once(streams[1] as Readable, 'close');
    const other = live.follow(page('two', ''));
    expect(await eventWith(other as Readable, 'event: content')).toContain('"two 1"');
    expect(read).toEqual({ one: 1, two: 1 });
    live.close();
  });

  test('there are no more streams than the limit; one that is closed makes room', async () => {
    const live = createLivePages(QUICK);
    const page = followed('page', () => '');
    const [first, second] = [live.follow(page), live.follow(page)];
    expect(live.follow(page)).toBeNull();
    first?.destroy();
    await once(first as Readable, 'close');
    expect(live.follow(page)).not.toBeNull();
    second?.destroy();
    live.close();
  });

  test('streams end after their time, and when the server closes', async () => {
    const drained = async (stream: Readable | null): Promise<void> => {
      stream?.resume();
      await once(stream as Readable, 'end');
    };
    await drained(createLivePages({ ...QUICK, lastsMs: 20 }).follow(followed('page', () => '')));
    const live = createLivePages({ ...QUICK, everyMs: 60_000 });
    const ended = drained(live.follow(followed('page', () => '')));
    live.close();
    await ended;
    expect(live.follow(followed('page', () => ''))).toBeNull();
  });
});
