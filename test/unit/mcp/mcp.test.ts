import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { nameShownAs, sanitize, sanitizeLine, sanitizeName } from '../../../client/core/sanitize.ts';
import { createSharedResource } from '../../../client/mcp/cache.ts';
import { nearest } from '../../../client/mcp/nearest.ts';
import { pageAfter } from '../../../client/mcp/page.ts';

describe('a shared resource', () => {
  function counted() {
    const events: string[] = [];
    let number = 0;
    const open = async () => {
      const name = ++number;
      events.push(`open ${name}`);
      await Promise.resolve();
      return { name, close: () => Promise.resolve(void events.push(`close ${name}`)) };
    };
    return { events, resource: createSharedResource(open, (error) => error === 'its fault') };
  }

  test('is opened once, on first use, and closed at the end', async () => {
    const { events, resource } = counted();
    await resource.close();
    const names = await Promise.all([resource.use(async ({ name }) => name), resource.use(async ({ name }) => name)]);
    expect(await resource.use(async ({ name }) => name)).toBe(1);
    expect([names, events]).toEqual([[1, 1], ['open 1']]);
    await resource.close();
    await resource.close();
    expect(events).toEqual(['open 1', 'close 1']);
  });

  test('is opened again after its own error, and closed after its last use', async () => {
    const { events, resource } = counted();
    let finish = (): void => undefined;
    const slow = resource.use(() => new Promise<void>((resolve) => (finish = resolve)));
    await expect(resource.use(() => Promise.reject(new Error('of the question')))).rejects.toThrow('question');
    await expect(resource.use(() => Promise.reject('its fault'))).rejects.toBe('its fault');
    expect(await resource.use(async ({ name }) => name)).toBe(2);
    expect(events).toEqual(['open 1', 'open 2']);
    finish();
    await slow;
    expect(events).toEqual(['open 1', 'open 2', 'close 1']);
  });

  test('is opened again after a failed attempt', async () => {
    let tries = 0;
    const resource = createSharedResource(
      () => (++tries === 1 ? Promise.reject(new Error('away')) : Promise.resolve({ close: () => Promise.resolve() })),
      () => true,
    );
    await expect(resource.use(() => Promise.resolve(1))).rejects.toThrow('away');
    expect(await resource.use(() => Promise.resolve(1))).toBe(1);
  });
});

describe('what is shown', () => {
  property.prop([fc.string({ unit: 'binary' })])('has no control characters', (text) => {
    expect(sanitize(text)).not.toMatch(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/u);
    expect(sanitizeLine(text)).not.toMatch(/\p{Cc}/u);
  });

  test('is otherwise unchanged', () => {
    const plain = 'const \u00e9 = "日本語 👩‍👩‍👧 \\u{1b}";\n\treturn;\n';
    expect(sanitize(plain)).toBe(plain);
    expect(sanitize('a\r\nb\rc\u001b[0m\u{202e}\u{e0041}\u{d800}')).toBe(
      'a\nb\\u{d}c\\u{1b}[0m\\u{202e}\\u{e0041}\u{fffd}',
    );
    expect(sanitizeLine('a\n\tb')).toBe('a\\u{a}\\u{9}b');
  });

  property.prop([
    fc.string({ unit: fc.oneof(fc.constantFrom('\\', 'u{', '\u001b', '1b}', '\n', '\ud800'), fc.string()) }),
  ])('as a name finds the name again', (name) => {
    const shown = sanitizeName(name);
    expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e]/u);
    expect(nameShownAs(shown)).toBe(name);
    expect(sanitize(shown)).toBe(shown);
  });

  test('as a name is distinguishable from similar names', () => {
    expect(sanitizeName('\u001b[31m.ts')).toBe('\\u{1b}[31m.ts');
    expect(sanitizeName('\\u{1b}[31m.ts')).toBe('\\u{5c}u{1b}[31m.ts');
    expect(nameShownAs('src/plain\\u{61}.ts')).toBe('src/plain\\u{61}.ts');
    expect(nameShownAs('\\u{110000}')).toBe('\\u{110000}');
  });
});

test('suggestions: the same name in another folder first', () => {
  const paths = ['src/lanes.ts', 'src/deep/lanes.ts', 'src/plan.ts', 'docs/very/long/other.md'];
  expect(nearest('lanes.ts', paths)).toEqual(['src/lanes.ts', 'src/deep/lanes.ts']);
  expect(nearest('src/lane.ts', paths)[0]).toBe('src/lanes.ts');
  expect(nearest('zzzzzz', paths)).toEqual([]);
});

property.prop([fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 5 })])(
  'pages together are the list, each item once',
  (items, limit) => {
    const sorted = [...items].sort();
    const seen: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = pageAfter('list', sorted, (item) => item, { cursor, limit });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(sorted);
  },
);

describe('a cursor', () => {
  const items = ['a', 'b\u001b', 'c', 'd\ud800', 'e'];
  const page = (list: string, cursor?: string) => pageAfter(list, items, (item) => item, { cursor, limit: 2 });

  test('is unchanged by sanitizing, for any names', () => {
    const { nextCursor } = page('list_files');
    expect(nextCursor).toMatch(/^[\w-]+$/);
    expect(page('list_files', sanitize(nextCursor ?? '')).items).toEqual(['c', 'd\ud800']);
  });

  test.each([
    ['what was never one', 'src/a.ts'],
    ["another list's", page('list_repositories').nextCursor ?? ''],
    ['one that was changed', `${page('list_files').nextCursor}x`],
    ['one with a character that base64url has not', `${page('list_files').nextCursor}\u001b`],
    ['JSON of another shape', Buffer.from('{"key":1}').toString('base64url')],
  ])('%s is refused', (_name, cursor) => {
    expect(() => page('list_files', cursor)).toThrow(
      'cursor: this is not a nextCursor of list_files. Omit it to start from the beginning.',
    );
  });
});
