import { expect, test } from 'vitest';
import { NO_COUNTS } from '../../../domain/catalog/flows/fleet.ts';
import { CATALOG_VIEW, proceedQuestion } from '../../../domain/catalog/flows/progress.ts';
import { describeFleet, fleetProgress } from '../../../domain/fleet/describe.ts';
import type { FleetStatus } from '../../../domain/fleet/fleet.ts';

const STATUS: FleetStatus = {
  stage: 'working',
  sample: [],
  total: 3,
  running: ['acme/api'],
  matched: 4,
  succeeded: 1,
  skipped: 1,
  failed: 1,
  failures: [{ repository: 'p/acme/x', type: 'GitFailed', error: 'git fetch failed: timeout' }],
  declined: false,
};
const COUNTERS = { ...NO_COUNTS, filesChanged: 7, objectsWritten: 9, objectsDeleted: 2 };

test('the question names the number of repositories', () => {
  expect(proceedQuestion(15)).toBe('Matched 15 repositories. Proceed with initial indexing?');
  expect(proceedQuestion(1)).toBe('Matched 1 repository. Proceed with initial indexing?');
});

test('the details are a markdown table with running and failed repositories', () => {
  const text = describeFleet(STATUS, COUNTERS, CATALOG_VIEW);
  expect(text).toContain('| succeeded | 1 |');
  expect(text).toContain('- acme/api');
  expect(text).toContain('p/acme/x: GitFailed: git fetch failed: timeout');
});

test('stays below the size limit of the UI for any names', () => {
  const name = 'x'.repeat(250);
  const failures = Array.from({ length: 200 }, () => ({
    repository: name,
    type: 'GitFailed' as const,
    error: 'y'.repeat(5_000),
  }));
  const status: FleetStatus = {
    ...STATUS,
    sample: Array<string>(50).fill(name),
    failures,
    stage: 'waiting for confirmation',
  };
  const text = describeFleet(status, COUNTERS, CATALOG_VIEW);
  expect(Buffer.byteLength(text)).toBeLessThan(40_000);
});

test('names cannot break out of the list', () => {
  const text = describeFleet({ ...STATUS, running: ['a\n# big [x](javascript:1) <b>'] }, COUNTERS, CATALOG_VIEW);
  expect(text).not.toContain('\n# big');
  expect(text).not.toContain('<b>');
});

test('the progress has counts, running and failed repositories', () => {
  expect(fleetProgress(STATUS, COUNTERS, CATALOG_VIEW)).toEqual({
    stage: 'working',
    done: 2,
    total: 3,
    unit: 'repositories',
    lines: ['7 files', '+9 -2 objects', '1 failed', 'acme/api'],
    asks: null,
  });
  const waiting = { for: 'github.com', until: '2026-11-29T10:00:00.123Z' };
  const status = { ...STATUS, failed: 5, running: ['acme/api', 'acme/web', 'acme/cli'], waiting };
  expect(fleetProgress(status, COUNTERS, CATALOG_VIEW)).toMatchObject({
    // repositories that could not be checked count as done, but not in the total
    done: 6,
    total: 6,
    lines: [
      '7 files',
      '+9 -2 objects',
      '5 failed',
      'waiting for github.com until 2026-11-29T10:00:00Z',
      'acme/api and 2 more',
    ],
  });
});

test('a question names the first repositories and counts the rest', () => {
  const status: FleetStatus = { ...STATUS, stage: 'waiting for confirmation', sample: ['a/b', 'a/c'], total: 12 };
  expect(fleetProgress(status, COUNTERS, CATALOG_VIEW).asks).toEqual({
    question: 'Matched 12 repositories. Proceed with initial indexing?',
    lines: ['a/b', 'a/c', 'and 10 more'],
  });
});
