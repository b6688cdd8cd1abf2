import { describe, expect, test } from 'vitest';
import { barChart, timeChart } from '../../../client/console/chart.ts';
import { isLocal } from '../../../client/console/visitor.ts';
import { pageNumber } from '../../../client/console/page.ts';
import { pathWith, table } from '../../../client/console/parts.ts';
import { duration } from '../../../client/console/time.ts';

test.each([
  [0, '0 s'],
  [4.24, '4.2 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [3_725, '1 h 2 min'],
  [86_400 * 3 + 60, '3 d 1 min'],
])('%s seconds are %s', (seconds, shown) => {
  expect(duration(seconds)).toBe(shown);
});

test.each([
  ['', 1],
  ['page=7', 7],
  ['page=0', 1],
  ['page=-1', 1],
  ['page=1e9', 1],
  ['page=99999999', 1],
])('page of %j is %s', (query, page) => {
  expect(pageNumber(new URLSearchParams(query))).toBe(page);
});

test('a query is percent-encoded, and leaves out what is missing', () => {
  expect(pathWith('/runs', { show: null, flow: '', after: 'a&b=c#"' })).toBe('/runs?after=a%26b%3Dc%23%22');
  expect(pathWith('/runs', {})).toBe('/runs');
});

describe('tables', () => {
  test('each cell has the name of its column, the first names the row', () => {
    const rows = [['<api>', { number: 1_234 }]];
    const page = table({ caption: 'Things', head: ['Name', 'Files'], rows, empty: 'None.' }).toString();
    expect(page).toContain('<th role="rowheader" scope="row"><bdi>&lt;api&gt;</bdi></th>');
    expect(page).toContain('<td role="cell" data-column="Files" class="number"><bdi>1,234</bdi></td>');
    expect(page).toContain('<th role="columnheader" scope="col" class="number">Files</th>');
  });

  test('an empty table says so', () => {
    expect(table({ caption: 'Things', head: ['Name'], rows: [], empty: 'None yet.' }).toString()).toBe(
      '<p class="empty">None yet.</p>',
    );
  });
});

describe('charts', () => {
  test('a chart without values says so', () => {
    for (const chart of [barChart('Runs', []), timeChart('Runs', [])])
      expect(chart.toString()).toContain('nothing yet');
  });

  test('bars have the proportions of their values', () => {
    const page = barChart('Failures', [
      { label: 'A', value: 4 },
      { label: 'B', value: 1, isBad: true },
    ]).toString();
    expect([...page.matchAll(/class="(good|bad)" width="([^"]+)"/g)].map(([, kind, width]) => [kind, width])).toEqual([
      ['good', '100%'],
      ['bad', '25%'],
    ]);
  });

  test('an axis ends at a round number, and the first, middle and last bar are named', () => {
    const bars = [3, 12, 37, 8, 5].map((value, at) => ({ label: `run ${at}`, value }));
    const texts = [
      ...timeChart('Seconds a run', bars, ' s')
        .toString()
        .matchAll(/<text[^>]*>([^<]*)/g),
    ];
    expect(texts.map(([, text]) => text)).toEqual(['0 s', '25 s', '50 s', 'run 0', 'run 2', 'run 4']);
  });

  test('a chart of one or only empty values is complete', () => {
    expect(timeChart('Runs', [{ label: 'one', value: 0 }]).toString()).not.toMatch(/NaN|Infinity/);
    expect(barChart('Runs', [{ label: 'one', value: 0 }]).toString()).not.toMatch(/NaN|Infinity/);
  });
});

describe('a browser on this machine', () => {
  const from = (
    remoteAddress: string,
    headers: Record<string, string>,
    httpVersion = '1.1',
  ): Parameters<typeof isLocal>[0] =>
    ({ socket: { remoteAddress }, headers, raw: { httpVersion } }) as unknown as Parameters<typeof isLocal>[0];

  test.for([
    ['127.0.0.1', { host: '127.0.0.1:8420' }, true],
    ['::1', { host: '[::1]:8420' }, true],
    ['::ffff:127.0.0.1', { host: 'localhost:8420' }, true],
    ['127.0.0.1', { host: 'LOCALHOST' }, true],
    ['192.168.1.4', { host: 'localhost:8420' }, false],
    // a foreign name that resolves to loopback
    ['127.0.0.1', { host: 'evil.example:8420' }, false],
    ['127.0.0.1', { host: '127.0.0.1.evil.example' }, false],
    ['127.0.0.1', { host: 'localhost:8420@evil.example' }, false],
    ['127.0.0.1', {}, false],
    // a reverse proxy on the same machine
    ['127.0.0.1', { host: '127.0.0.1:8420', 'x-forwarded-for': '127.0.0.1' }, false],
    ['127.0.0.1', { host: '127.0.0.1:8420', forwarded: 'for=10.0.0.1' }, false],
    ['127.0.0.1', { host: '127.0.0.1:8420', via: '1.1 proxy' }, false],
  ] as const)('%s %j: %s', ([address, headers, expected]) => {
    expect(isLocal(from(address, { ...headers }))).toBe(expected);
  });

  test('speaks HTTP/1.1: with its default settings nginx sends HTTP/1.0, and no header that names a proxy', () => {
    const headers = { host: '127.0.0.1:8420', connection: 'close' };
    expect(isLocal(from('127.0.0.1', headers, '1.0'))).toBe(false);
    expect(isLocal(from('127.0.0.1', headers))).toBe(true);
  });
});
