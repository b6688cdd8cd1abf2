import { describe, expect, test } from 'vitest';
import type { GroupRun } from '../../../activities/catalog/groups/view.ts';
import type { FleetReport } from '../../../client/catalog/fleet-view.ts';
import { fleetReport } from '../../../client/console/catalog/fleet.ts';
import { sha256Bytes } from '../../../platform/sha256.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';

const HOSTILE = '<img src=x onerror="alert(1)">&\'';
const at = '2026-11-21T12:00:00.000Z';

const result: CatalogFleetResult = {
  matched: 3,
  succeeded: 2,
  skipped: 0,
  failed: 1,
  failures: [{ repository: 'local/acme/api', type: 'GitFailed', error: HOSTILE }],
  filesChanged: 7,
  objectsWritten: 9,
  objectsDeleted: 0,
  embedded: 9,
  embeddingsReused: 0,
  durationMs: 1_000,
  declined: false,
  moved: 0,
};
const run: GroupRun = {
  group: 'services',
  workflowId: 'sync-group/Longhaul/services',
  startedAt: '2026-11-21T11:00:00.000Z',
  seconds: 12.5,
  status: 'COMPLETED',
  result,
};
const view: FleetReport = {
  at,
  index: 'Longhaul',
  repositories: [
    {
      repository: HOSTILE,
      files: 1,
      objects: 2,
      indexedAt: '2026-11-21T11:30:00.000Z',
      state: 'complete',
      branches: [],
    },
    {
      repository: 'local/acme/old',
      files: 3,
      objects: 4,
      indexedAt: '2026-01-01T00:00:00.000Z',
      state: 'unfinished',
      branches: [],
    },
  ],
  groups: [
    {
      group: {
        name: 'services',
        description: '',
        schedule: '0 * * * *',
        timezone: 'UTC',
        jitterSeconds: 0,
        patterns: ['acme/*'],
        exclude: [],
        branches: [],
        parallel: 8,
        priority: 3,
        paused: false,
      },
      isPaused: false,
      applied: null,
      note: null,
      nextRun: '2026-11-21T13:00:00.000Z',
      lastRun: null,
      missed: 1,
      skipped: 2,
      latest: run,
      completeAt: null,
    },
  ],
  runs: [run],
};

describe('the report of the fleet', () => {
  const page = fleetReport(view);

  test('escapes HTML in texts', () => {
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;');
  });

  test('has no external resources, and its policy allows its own style sheet only', () => {
    expect(page).not.toMatch(/<script|https?:|url\(|<link|<img/);
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
    const digest = sha256Bytes(style).toString('base64');
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${digest}'"`);
  });

  test('has counts and charts', () => {
    expect(page).toMatch(/2 repositories, 4 files, 6 objects;\s+1 unfinished, 1 failing. As of\s+<time/);
    const counts = [...page.matchAll(/<th scope="row">([^<]+)<\/th>.*?<td class="number">(\d+)</gs)];
    expect(Object.fromEntries(counts.map(([, label, value]) => [label, value]))).toEqual({
      '1 hour': '1',
      '6 hours': '0',
      '1 day': '0',
      '1 week': '0',
      '1 month': '0',
      older: '1',
      GitFailed: '1',
    });
    expect(page).toContain('<title>services 2026-11-21 11:00 UTC: 12.5 s</title><rect class="bad"');
  });

  test('lists at most 500 repositories, and says how many more there are', () => {
    const many = Array.from({ length: 502 }, (_, n) => ({ ...view.repositories[1], repository: `local/acme/r${n}` }));
    const long = fleetReport({ ...view, repositories: many as FleetReport['repositories'] });
    expect(long.match(/local\/acme\/r\d+/g)).toHaveLength(500);
    expect(long).toContain('and 2 more');
  });
});

test.each([
  ['RUNNING', false],
  ['PAUSED', false],
  ['FAILED', true],
])('a group whose latest run is %s: failing is %s', (status, fails) => {
  const groups = view.groups.slice(0, 1).map((group) => ({ ...group, latest: { ...run, status, result: null } }));
  expect(fleetReport({ ...view, groups, runs: [] }).includes(`>${status}<`)).toBe(fails);
});
