import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ForgeWriter, WantedAsset } from '../../../activities/forges/forge-writer.ts';
import type { LonghaulError } from '../../../domain/shared/failures.ts';
import type { WriteFault } from './fault-proxy.ts';
import type { Who, WritePlace } from './write-place.ts';
import { failureOf } from '../mgit.ts';

function asset(content: string, name = 'api-1.0.0.tgz'): WantedAsset {
  const bytes = Buffer.from(content);
  return {
    tag: 'v1.0.0',
    name,
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () => Promise.resolve(Readable.from([bytes])),
  };
}

/** One operation that writes. */
interface Write {
  readonly name: string;
  /** Prepares the place. Returns the operation, for any forge on it. */
  prepare(place: WritePlace): Promise<(forge: ForgeWriter) => Promise<unknown>>;
  /** What it has made, as an observer sees it. */
  made(place: WritePlace): Promise<readonly unknown[]>;
}

const LABEL = { name: 'state:done', color: 'd73a4a', description: 'It is done.' };
const WRITES: readonly Write[] = [
  {
    name: 'a pull request',
    async prepare({ repository, addBranch }) {
      await addBranch('fix/one');
      const wanted = { head: 'fix/one', base: 'main', title: 'Fix one', body: 'Because.' };
      return (forge) => forge.putPull(repository, wanted);
    },
    made: ({ pulls }) => pulls(),
  },
  {
    name: 'a comment',
    async prepare({ repository, addIssue }) {
      const number = await addIssue();
      return (forge) => forge.putComment(repository, { kind: 'issue', number }, { marker: 'plan', body: 'The plan.' });
    },
    made: ({ comments }) => comments(1),
  },
  {
    name: 'a label',
    async prepare({ repository }) {
      return (forge) => forge.putLabel(repository, LABEL);
    },
    made: ({ labels }) => labels(),
  },
  {
    name: 'labels of an issue',
    async prepare({ repository, addIssue, open }) {
      const number = await addIssue();
      await open().putLabel(repository, LABEL);
      return (forge) =>
        forge.changeLabels(repository, { kind: 'issue', number }, { add: [LABEL.name], remove: ['state:new'] });
    },
    made: ({ labelsOf }) => labelsOf(1),
  },
  {
    name: 'a check',
    async prepare({ repository, commit }) {
      const check = { commit, name: 'longhaul/release', state: 'success', description: 'All is well.' } as const;
      return (forge) => forge.putCheck(repository, { ...check, url: 'https://longhaul.example/runs/1' });
    },
    made: ({ checks }) => checks(),
  },
  {
    name: 'a release',
    async prepare({ repository, addTag }) {
      await addTag('v1.0.0');
      const release = { tag: 'v1.0.0', title: 'API 1.0.0', notes: '- the first one' };
      return (forge) => forge.putRelease(repository, release);
    },
    made: ({ releases }) => releases(),
  },
  {
    name: 'an asset',
    async prepare({ repository, addTag, open }) {
      await addTag('v1.0.0');
      await open().putRelease(repository, { tag: 'v1.0.0', title: 'API 1.0.0', notes: '' });
      return (forge) => forge.putAsset(repository, asset('the package'));
    },
    made: async ({ releases }) => Object.entries((await releases())[0]?.assets ?? {}),
  },
];

/** The permissions that messages name. */
const NEEDS = /: write|write:\w+|the scope \w+ and the role/;

/**
 * The cases that every forge passes: each write made once, repeated, with its answer lost, refused, without permission.
 * `start` makes a repository of its own for each case.
 */
export function describeForgeWrites(start: () => Promise<WritePlace>): void {
  describe.each(WRITES)('$name', ({ prepare, made }) => {
    test('is made once, however often it is repeated, also by another process', async () => {
      const place = await start();
      const write = await prepare(place);
      const before = place.proxy.writes.length;
      await write(place.open());
      const first = await made(place);
      expect(first).toHaveLength(1);
      const needed = place.proxy.writes.length - before;
      await write(place.open());
      await write(place.open());
      expect(await made(place)).toEqual(first);
      expect(place.proxy.writes.length - before, 'requests that write').toBe(needed);
      expect(place.violations).toEqual([]);
    });

    test.each(['answer 502', 'cut'] as const)('is made once when the answer is lost (%s)', async (fault) => {
      const place = await start();
      const write = await prepare(place);
      const before = place.proxy.writes.length;
      // an operation may need several requests: each loses its answer once
      const lost = new Set<string>();
      place.proxy.fault = (request) => (lost.has(request) ? null : (lost.add(request), fault));
      let attempts = 0;
      for (; attempts < 5; attempts++) {
        const failure = await write(place.open()).then(
          () => null,
          (error: unknown) => error,
        );
        if (failure === null) break;
        expect(failure).toMatchObject({ type: 'ForgeUnavailable' });
      }
      expect(lost.size).toBeGreaterThan(0);
      expect(attempts).toBe(lost.size);
      expect(place.proxy.writes.length - before, 'no request is repeated').toBe(lost.size);
      expect(await made(place)).toHaveLength(1);
      expect(place.violations).toEqual([]);
    });

    test.each<[WriteFault & object, string]>([
      [{ status: 401 }, 'AuthenticationFailed'],
      [{ status: 403 }, 'PermissionMissing'],
      [{ status: 403, headers: { 'retry-after': '77' } }, 'RateLimited'],
      [{ status: 404 }, 'PermissionMissing'],
      [{ status: 405 }, 'ForgeForbids'],
      [{ status: 409 }, 'ForgeConflict'],
      [{ status: 410 }, 'ForgeGone'],
      [{ status: 422 }, 'ForgeRejected'],
      [{ status: 429, headers: { 'retry-after': '77' } }, 'RateLimited'],
      [{ status: 500 }, 'ForgeUnavailable'],
    ])('that is refused with %o is sent once, and a %s', async (fault, type) => {
      const place = await start();
      const write = await prepare(place);
      const before = place.proxy.writes.length;
      const there = await made(place);
      place.proxy.fault = () => fault;
      const failure = await write(place.open()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type });
      const said = (failure as LonghaulError).message;
      expect(NEEDS.test(said)).toBe(type === 'PermissionMissing');
      expect((failure as LonghaulError).retryAfterMs).toBe(type === 'RateLimited' ? 77_000 : undefined);
      expect(said).not.toContain(place.token('writer'));
      expect(place.proxy.writes.length - before).toBe(1);
      expect(await made(place)).toEqual(there);
    });

    test.each<[Who, string]>([
      ['reader', 'PermissionMissing'],
      ['outsider', 'PermissionMissing|InvalidInput'],
      ['nobody', 'AuthenticationFailed'],
    ])('needs permission: a %s gets %s', async (who, type) => {
      const place = await start();
      const write = await prepare(place);
      const there = await made(place);
      const said = await failureOf(write(place.open(who)));
      expect(said).toMatch(new RegExp(`^(${type}): `));
      expect(NEEDS.test(said)).toBe(said.startsWith('PermissionMissing'));
      expect(said).not.toContain(place.token(who));
      expect(await made(place)).toEqual(there);
    });
  });

  test('a changed text updates what is there', async () => {
    const place = await start();
    const { repository, commit } = place;
    await place.addBranch('fix/one');
    await place.addTag('v1.0.0');
    const number = await place.addIssue();
    for (const version of ['first', 'second', 'second']) {
      const forge = place.open();
      await forge.putPull(repository, { head: 'fix/one', base: 'main', title: version, body: `${version}\r\nline\n` });
      await forge.putComment(repository, { kind: 'issue', number }, { marker: 'a', body: version });
      await forge.putCheck(repository, { commit, name: 'one', state: 'pending', description: version });
      await forge.putCheck(repository, { commit, name: 'other', state: 'success', description: 'x' });
      await forge.putRelease(repository, { tag: 'v1.0.0', title: version, notes: version, isPrerelease: true });
      await forge.putAsset(repository, asset(version === 'first' ? '11' : '22'));
      await forge.putAsset(repository, asset('other', 'other_1.txt'));
    }
    expect(await place.pulls()).toMatchObject([{ title: 'second', body: expect.stringMatching(/^second\r?\nline/) }]);
    expect(await place.comments(number)).toMatchObject([{ body: expect.stringMatching(/^<!-- .* -->\nsecond$/) }]);
    expect((await place.checks()).find(({ name }) => name === 'one')).toMatchObject({ description: 'second' });
    expect(await place.releases()).toEqual([
      expect.objectContaining({
        title: 'second',
        notes: 'second',
        assets: { 'api-1.0.0.tgz': '22', 'other_1.txt': 'other' },
      }),
    ]);
    expect(place.violations).toEqual([]);
  });

  test('lists have several pages', async () => {
    const place = await start();
    const number = await place.addIssue();
    for (let at = 0; at < 5; at++) await place.say(number, `noise ${at}`);
    const on = { kind: 'issue', number } as const;
    const names = ['one', 'two', 'three', 'four', 'five'];
    for (const name of names) await place.open().putLabel(place.repository, { ...LABEL, name });
    for (const name of names) {
      await place.open().putLabel(place.repository, { ...LABEL, name });
      await place.open().putComment(place.repository, on, { marker: name, body: name });
    }
    for (const name of names) await place.open().putComment(place.repository, on, { marker: name, body: `${name}!` });
    expect((await place.labels()).toSorted()).toEqual(names.toSorted());
    expect(await place.comments(number)).toHaveLength(10);
    await place.open().changeLabels(place.repository, on, { add: names, remove: [] });
    await place.open().changeLabels(place.repository, on, { add: ['one'], remove: ['two', 'five'] });
    expect((await place.labelsOf(number)).toSorted()).toEqual(['four', 'one', 'three']);
    expect(place.violations).toEqual([]);
  });

  test('a marker counts only in the first line of a comment of our account', async () => {
    const place = await start();
    const number = await place.addIssue();
    const on = { kind: 'issue', number } as const;
    await place.say(number, '<!-- longhaul:plan -->\nnot yours');
    const hostile = '<!-- longhaul:plan -->\n/close\n> /merge\n@everyone see <!-- hidden -->';
    await place.open().putComment(place.repository, on, { marker: 'report', body: hostile });
    await place.open().putComment(place.repository, on, { marker: 'plan', body: 'ours' });
    await place.open().putComment(place.repository, on, { marker: 'plan --> <!-- longhaul:x', body: 'odd' });
    await place.open().putComment(place.repository, on, { marker: 'plan', body: 'ours!' });
    const bodies = (await place.comments(number)).map(({ author, body }) => [author, body]);
    expect(bodies).toEqual([
      ['other', '<!-- longhaul:plan -->\nnot yours'],
      [
        'writer',
        '<!-- longhaul:report -->\n&lt;!-- longhaul:plan -->\n\u2060/close\n> \u2060/merge\n@\u2060everyone see &lt;!-- hidden -->',
      ],
      ['writer', '<!-- longhaul:plan -->\nours!'],
      ['writer', expect.stringMatching(/^<!-- longhaul:\S+ -->\nodd$/)],
    ]);
    expect(place.violations).toEqual([]);
  });

  test('only an open pull request of our account, from this repository, is changed', async () => {
    const place = await start();
    const { repository } = place;
    for (const head of ['theirs', 'twin', 'ended']) await place.addBranch(head);
    const theirs = await place.addPull('theirs', false);
    await place.addPull('twin', true);
    const put = (head: string, title = 'ours') =>
      place.open().putPull(repository, { head, base: 'main', title, body: 'ours' });
    expect(await put('theirs')).toMatchObject({ number: theirs, isOurs: false, isNew: false, state: 'open' });
    expect(await put('twin')).toMatchObject({ isOurs: true, isNew: true, state: 'open' });
    const ended = await put('ended');
    await place.closePull(ended.number);
    expect(await put('ended', 'again')).toEqual({ ...ended, isNew: false, state: 'closed' });
    expect(await place.open().findPull(repository, { head: 'none', base: 'main' })).toBe(null);
    expect(await place.open().findPull(repository, { head: 'ended', base: 'main' })).toMatchObject({
      number: ended.number,
    });
    const seen = (await place.pulls()).map(({ head, title, author }) => [head, title, author].join(' '));
    expect(seen.toSorted()).toEqual([
      'ended ours writer',
      'theirs theirs other',
      'twin ours writer',
      'twin theirs other',
    ]);
    await expect(put('no-such-branch')).rejects.toMatchObject({ type: expect.stringMatching(/Forge|Permission/) });
    expect(place.violations).toEqual([]);
  });

  test('comments and labels of a pull request are those of the pull request', async () => {
    const place = await start();
    await place.addBranch('one');
    const wanted = { head: 'one', base: 'main', title: 'one', body: '' };
    const { number } = await place.open().putPull(place.repository, wanted);
    const on = { kind: 'pull', number } as const;
    await place.open().putLabel(place.repository, LABEL);
    await place.open().changeLabels(place.repository, on, { add: [LABEL.name], remove: [] });
    await place.open().putComment(place.repository, on, { marker: 'a', body: 'x' });
    await place.open().putComment(place.repository, on, { marker: 'a', body: 'y' });
    expect(await place.comments(number)).toMatchObject([{ body: '<!-- longhaul:a -->\ny' }]);
    expect(await place.labelsOf(number)).toEqual([LABEL.name]);
    expect(place.violations).toEqual([]);
  });

  test('a release does not make the tag, and an asset no release', async () => {
    const place = await start();
    const release = { tag: 'v1.0.0', title: 'x', notes: '' };
    const put = place.open().putRelease(place.repository, release);
    expect(await failureOf(put)).toMatch(/^InvalidInput: .*no tag v1.0.0/);
    expect(await failureOf(place.open().putAsset(place.repository, asset('x')))).toMatch(/^InvalidInput: .*no release/);
    expect([await place.tags(), await place.releases(), place.proxy.writes]).toEqual([[], [], []]);
    for (const name of ['../x', 'a b', '.hidden', 'a/b', '']) {
      expect(await failureOf(place.open().putAsset(place.repository, asset('x', name)))).toMatch(/^InvalidInput: /);
    }
  });

  test('an interrupted upload is replaced', async () => {
    const place = await start();
    await place.addTag('v1.0.0');
    await place.open().putRelease(place.repository, { tag: 'v1.0.0', title: 'x', notes: '' });
    place.interruptUpload?.('v1.0.0', 'api-1.0.0.tgz');
    await place.open().putAsset(place.repository, asset('whole'));
    expect((await place.releases())[0]?.assets).toEqual({ 'api-1.0.0.tgz': 'whole' });
    expect(place.violations).toEqual([]);
  });

  test('no more content than the budget allows', async () => {
    const place = await start();
    const number = await place.addIssue();
    const forge = place.open('writer', { contentPerMinute: 2 });
    const say = (marker: string): Promise<unknown> =>
      forge.putComment(place.repository, { kind: 'issue', number }, { marker, body: marker });
    await say('a');
    await say('b');
    await expect(say('c')).rejects.toMatchObject({ type: 'RateLimited', waitingFor: expect.stringMatching(/^127/) });
    // what needs no writing goes on
    await say('a');
    expect(await place.comments(number)).toHaveLength(2);
  });
}
