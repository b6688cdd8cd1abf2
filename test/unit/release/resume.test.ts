import { describe, expect, test } from 'vitest';
import { createPrinter } from '../../../client/cli/release/job-printer.ts';
import { jobsToRepeat } from '../../../domain/release/pipelines/resume.ts';

const JOBS = [
  { id: 'lint', job: 'lint', needs: [], deploy: null },
  { id: 'test (1)', job: 'test', needs: [], deploy: null },
  { id: 'test (2)', job: 'test', needs: [], deploy: null },
  { id: 'build', job: 'build', needs: ['test (1)', 'test (2)'], deploy: null },
  { id: 'publish', job: 'publish', needs: ['build', 'lint'], deploy: null },
];

describe('a run that starts from a job repeats', () => {
  test.for([
    ['build', ['lint', 'test (1)', 'test (2)', 'build', 'publish'], ['build', 'publish']],
    ['build', ['lint', 'test (1)'], ['test (2)', 'build', 'publish']],
    ['test', ['lint', 'test (1)', 'test (2)', 'build'], ['test (1)', 'test (2)', 'build', 'publish']],
    ['test (2)', ['lint', 'test (1)', 'test (2)', 'build', 'publish'], ['test (2)', 'build', 'publish']],
    ['publish', [], ['lint', 'test (1)', 'test (2)', 'build', 'publish']],
  ] as const)('%s, when %j have passed: %j', ([from, passed, repeated]) => {
    const found = jobsToRepeat(JOBS, from, new Set(passed));
    expect(JOBS.map(({ id }) => id).filter((id) => found?.has(id))).toEqual(repeated);
  });

  test('a job that deploys, and what needs it, although they have passed', () => {
    const jobs = [...JOBS, { id: 'stage', job: 'stage', needs: ['lint'], deploy: 'staging' }];
    const found = jobsToRepeat(jobs, 'publish', new Set(jobs.map(({ id }) => id)));
    expect([...(found ?? [])]).toEqual(['publish', 'stage']);
  });

  test('nothing for a job that does not exist', () => {
    expect(jobsToRepeat(JOBS, 'deploy', new Set())).toBeNull();
  });
});

const ENDED = { durationMs: null, steps: [] };
const BEGUN = { startedAt: '2026-11-30T10:00:00Z', steps: [] };

test('the output of running jobs is printed once, by lines, with a mark where a part is missing', () => {
  let printed = '';
  const printer = createPrinter({ write: (text: string) => ((printed += text), true) } as never);
  printer.states([
    { ...ENDED, id: 'a', state: 'running' },
    { ...ENDED, id: 'b', state: 'waiting' },
  ]);
  printer.tail({ ...BEGUN, job: 'a', attempt: 1, written: 9, tail: 'one\ntwo\nt' });
  printer.tail({ ...BEGUN, job: 'a', attempt: 1, written: 9, tail: 'one\ntwo\nt' });
  printer.tail({ ...BEGUN, job: 'a', attempt: 1, written: 14, tail: 'one\ntwo\nthree\n' });
  printer.tail({ ...BEGUN, job: 'a', attempt: 1, written: 1_000, tail: 'end\n\u001b[31mred\n' });
  printer.tail({ ...BEGUN, job: 'a', attempt: 2, written: 4, tail: 'one\n' });
  printer.states([
    { ...ENDED, id: 'a', state: 'failed' },
    { ...ENDED, id: 'b', state: 'skipped' },
  ]);
  expect(printed).toBe(
    '> a: running\n  a | one\n  a | two\n  a | three\n  a | …\n  a | end\n  a | �[31mred\n  a | one\nx a: failed\n- b: skipped\n',
  );
});
