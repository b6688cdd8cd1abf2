import { describe, expect, test } from 'vitest';
import type { GroupRun } from '../../../activities/catalog/groups/view.ts';
import type { FleetReport } from '../../../client/catalog/fleet-view.ts';
import { barChart } from '../../../client/report/bar-chart.ts';
import { fleetPage } from '../../../client/catalog/fleet-page.ts';
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

describe('the page of the fleet', () => {
  const page = fleetPage(view);

  test('escapes HTML in texts', () => {
    expect(page).not.toContain('<img');
    expect(page).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#38;&#39;');
  });

  test('has no external resources', () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|https?:|url\(/);
  });

  test('has counts and charts', () => {
    expect(page).toContain('2 repositories, 4 files, 6 objects;\n1 unfinished, 1 failing. As of 2026-11-21 12:00 UTC.');
    expect(page).toContain('<title>1 hour: 1</title>');
    expect(page).toContain('<title>older: 1</title>');
    expect(page).toContain('<title>GitFailed: 1</title>');
    expect(page).toContain('<title>services 2026-11-21 11:00 UTC: 12.5 s</title><rect class="bad"');
  });
});

test.each([
  ['RUNNING', false],
  ['PAUSED', false],
  ['FAILED', true],
])('a group whose latest run is %s: failing is %s', (status, fails) => {
  const groups = view.groups.slice(0, 1).map((group) => ({ ...group, latest: { ...run, status, result: null } }));
  expect(fleetPage({ ...view, groups, runs: [] }).includes(`>${status}<`)).toBe(fails);
});

test('an empty chart has a placeholder', () => {
  expect(barChart('Runs', [])).toContain('nothing yet');
});
