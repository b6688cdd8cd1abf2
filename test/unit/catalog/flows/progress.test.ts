import { expect, test } from 'vitest';
import type { FleetProgress } from '../../../../domain/catalog/flows/fleet.ts';
import { describeProgress, proceedQuestion } from '../../../../domain/catalog/flows/progress.ts';

const PROGRESS: FleetProgress = {
  stage: 'working',
  sample: [],
  total: 3,
  running: ['acme/api'],
  matched: 4,
  succeeded: 1,
  skipped: 1,
  failed: 1,
  failures: [{ repository: 'p/acme/x', type: 'GitFailed', error: 'git fetch failed: timeout' }],
  filesChanged: 7,
  objectsWritten: 9,
  objectsDeleted: 2,
  embedded: 8,
  embeddingsReused: 1,
  moved: 0,
  declined: false,
};

test('the question names the number of repositories', () => {
  expect(proceedQuestion(15)).toBe('Matched 15 repositories. Proceed with initial indexing?');
  expect(proceedQuestion(1)).toBe('Matched 1 repository. Proceed with initial indexing?');
});

test('progress is a markdown table with what runs and what failed', () => {
  const text = describeProgress(PROGRESS);
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
  const text = describeProgress({
    ...PROGRESS,
    sample: Array<string>(50).fill(name),
    failures,
    stage: 'waiting for confirmation',
  });
  expect(Buffer.byteLength(text)).toBeLessThan(40_000);
});

test('names cannot break out of the list', () => {
  const text = describeProgress({ ...PROGRESS, running: ['a\n# big [x](javascript:1) <b>'] });
  expect(text).not.toContain('\n# big');
  expect(text).not.toContain('<b>');
});
