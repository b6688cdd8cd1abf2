import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { pipelineFile } from '../../../domain/release/contracts/pipeline.schema.ts';
import { planRun, type RunContext, type RunPlan } from '../../../domain/release/pipelines/plan.ts';
import { missingJobs } from '../../../domain/release/promotion/tree-jobs.ts';
import { type Ends, endOfRun, type JobEnd, nextJobs } from '../../../domain/release/pipelines/schedule.ts';

const STEPS = [{ name: 's', command: 'true' }];

function plan(jobs: Record<string, object>, more: object = {}, context: Partial<RunContext> = {}): RunPlan {
  const pipeline = pipelineFile.parse({
    name: 'ci',
    jobs: Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, { steps: STEPS, ...job }])),
    ...more,
  });
  return planRun(pipeline, { event: 'manual', branch: null, hasChanged: () => false, ...context });
}

/** Runs a plan with jobs that end as given, one at a time, and returns every end in the order of ending. */
function play(run: RunPlan, endings: Readonly<Record<string, JobEnd>>): Ends {
  const ends: Record<string, JobEnd> = {};
  const started = new Set<string>();
  const queue: string[] = [];
  for (;;) {
    const { start, skip } = nextJobs(run, started, ends);
    for (const { id } of skip) {
      started.add(id);
      ends[id] = 'skipped';
    }
    for (const { id } of start) {
      started.add(id);
      queue.push(id);
    }
    const id = queue.shift();
    if (id !== undefined) ends[id] = endings[id] ?? 'passed';
    else if (skip.length === 0) return ends;
  }
}

describe('the run on a tree that is released', () => {
  const jobs = {
    check: { matrix: { shard: [1, 2] }, if: { event: ['evolution'] } },
    docs: { if: { changed: ['docs/**'] } },
    lint: { allow_failure: true },
    tidy: { needs: ['docs'], if: { result: 'failure' } },
  };
  const proving = ['check (1)', 'check (2)', 'docs', 'lint', 'tidy', 'gone'].map((job) => ({ job, change: 'FEAT-1' }));

  test('lacks the jobs that passed in the run that proved a change, unless they prove nothing or are gone', () => {
    const run = plan(jobs, {}, { event: 'manual' });
    expect(missingJobs(run, new Set(['check (2)']), [...proving, { job: 'docs', change: 'FEAT-2' }])).toEqual([
      'check (1) passed when FEAT-1 was proven, and did not run here: it runs on evolution.',
      'docs passed when FEAT-1, FEAT-2 was proven, and did not run here: nothing changed in docs/**.',
    ]);
    expect(missingJobs(run, new Set(['check (1)', 'check (2)', 'docs']), proving)).toEqual([]);
  });

  test('runs what its last commit did not change: a release has more changes', () => {
    expect(plan(jobs, {}, { event: 'promotion' }).jobs.map(({ id, skipped }) => [id, skipped])).toEqual([
      ['check (1)', 'it runs on evolution'],
      ['check (2)', 'it runs on evolution'],
      ['docs', null],
      ['lint', null],
      ['tidy', null],
    ]);
  });
});

describe('a plan', () => {
  test('has a job for each combination, which the jobs that need it all wait for', () => {
    const { jobs } = plan({ test: { matrix: { os: ['linux', 'mac'], node: [22] } }, build: { needs: ['test'] } });
    expect(jobs.map(({ id, needs, matrix }) => ({ id, needs, matrix }))).toEqual([
      { id: 'test (linux, 22)', needs: [], matrix: { os: 'linux', node: 22 } },
      { id: 'test (mac, 22)', needs: [], matrix: { os: 'mac', node: 22 } },
      { id: 'build', needs: ['test (linux, 22)', 'test (mac, 22)'], matrix: {} },
    ]);
  });

  test('skips jobs by branch, event and changed paths', () => {
    const jobs = {
      main: { if: { branch: ['main', 'release/*'] } },
      push: { if: { event: ['push'] } },
      docs: { if: { changed: ['docs/**'] } },
    };
    const skipped = (context: Partial<RunContext>): (string | null)[] =>
      plan(jobs, {}, context).jobs.map((job) => job.skipped);
    expect(skipped({})).toEqual([
      'it runs on the branches main, release/*',
      'it runs on push',
      'nothing changed in docs/**',
    ]);
    expect(skipped({ branch: 'release/9', event: 'push', hasChanged: ([one]) => one === 'docs/**' })).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('of more than 500 jobs is refused', () => {
    const numbers = Array.from({ length: 16 }, (_, at) => at);
    const job = { matrix: { a: numbers, b: numbers } };
    expect(() => plan({ a: job, b: job })).toThrow('The pipeline ci has 512 jobs: a run may have 500.');
  });
});

describe('the end of a run', () => {
  const chain = { a: {}, b: { needs: ['a'] }, c: { needs: ['b'] } };

  test.each([
    ['all pass', chain, {}, { a: 'passed', b: 'passed', c: 'passed' }, 'passed'],
    ['nothing runs after a failure', chain, { a: 'failed' }, { a: 'failed', b: 'skipped', c: 'skipped' }, 'failed'],
    [
      'a job that may fail counts as passed',
      { a: { allow_failure: true }, b: { needs: ['a'] } },
      { a: 'failed' },
      { a: 'failed', b: 'passed' },
      'passed',
    ],
    [
      'a job for failures runs after one',
      { a: {}, b: { needs: ['a'], if: { result: 'failure' } }, c: { needs: ['a'], if: { result: 'always' } } },
      { a: 'failed' },
      { a: 'failed', b: 'passed', c: 'passed' },
      'failed',
    ],
    [
      'a job for failures does not run without one',
      { a: {}, b: { needs: ['a'], if: { result: 'failure' } }, c: { needs: ['b'] } },
      {},
      { a: 'passed', b: 'skipped', c: 'skipped' },
      'passed',
    ],
    [
      'a cancelled job is no failure of a job',
      { a: {}, b: { needs: ['a'] } },
      { a: 'cancelled' },
      { a: 'cancelled', b: 'skipped' },
      'passed',
    ],
  ] as const)('%s', (_what, jobs, endings, ends, end) => {
    const run = plan(jobs);
    expect(play(run, endings)).toEqual(ends);
    expect(endOfRun(run, ends)).toBe(end);
  });

  test('no further job starts after too many failures, except those that run after failures', () => {
    const jobs = { a: {}, b: {}, c: { needs: ['b'] }, d: {}, clean: { needs: ['a'], if: { result: 'always' } } };
    const run = plan(jobs, { max_failures: 1 });
    const { start, skip } = nextJobs(run, new Set(['a', 'b']), { a: 'failed' });
    expect(start.map(({ id }) => id)).toEqual(['clean']);
    expect(skip).toEqual([
      { id: 'c', why: '1 job failed' },
      { id: 'd', why: '1 job failed' },
    ]);
  });

  test('every job ends once, whatever the graph, and none before the jobs that it needs', () => {
    const graphs = fc.array(
      fc.record({
        needs: fc.array(fc.nat(19), { maxLength: 4 }),
        result: fc.constantFrom('success', 'failure', 'always'),
        allow: fc.boolean(),
        end: fc.constantFrom<JobEnd>('passed', 'failed'),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(graphs, fc.option(fc.integer({ min: 1, max: 3 })), (nodes, limit) => {
        const jobs = Object.fromEntries(
          nodes.map(({ needs, result, allow }, at) => [
            `j${at}`,
            {
              needs: [...new Set(needs.filter((each) => each < at))].map((each) => `j${each}`),
              if: { result },
              allow_failure: allow,
            },
          ]),
        );
        const run = plan(jobs, limit === null ? {} : { max_failures: limit });
        const ends = play(run, Object.fromEntries(nodes.map(({ end }, at) => [`j${at}`, end])));
        const order = Object.keys(ends);
        expect(order.toSorted()).toEqual(Object.keys(jobs).toSorted());
        for (const { id, needs } of run.jobs) {
          if (ends[id] === 'skipped') continue;
          for (const needed of needs) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(id));
        }
      }),
    );
  });
});
