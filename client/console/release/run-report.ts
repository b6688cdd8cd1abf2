import type { RunJobOutcome, RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import { FLAKY_RUNS, type FlakyTest } from '../../../domain/release/quality/flaky.ts';
import { html, type Html } from '../html.ts';
import { reportPage } from '../layout.ts';
import { badge, facts, notice, table, type Tone } from '../parts.ts';
import { duration } from '../time.ts';

const TONES: Readonly<Record<string, Tone>> = {
  passed: 'good',
  failed: 'bad',
  waived: 'bad',
  cancelled: 'quiet',
  skipped: 'quiet',
};
/** Height of a line of the timeline, in pixels. */
const LINE = 22;

/**
 * The report of a run of a pipeline as one file: its jobs on a timeline, their steps, rules and exceptions, and the tests
 * of the pipeline that are flaky.
 */
export function runReport(run: RunPipelineResult, flaky: readonly FlakyTest[]): string {
  const { pipeline, repository, commit, status, sandbox, jobs, quality } = run;
  const attempts = jobs.flatMap(attemptsOf);
  const body = html`${facts([
    ['Status', stateBadge(status)],
    ['Repository', repository],
    ['Commit', html`<code>${commit}</code>`],
    ['Run', html`<code>${run.run}</code>`],
    ['Plan', html`<code>${run.plan}</code>`],
  ])}
    ${
      sandbox === 'none' &&
      notice(
        'bad',
        'The programs were not isolated',
        'They ran with pipelines.sandbox: none, and could read and change this machine.',
      )
    }
    ${quality.exceptions.length > 0 && notice('busy', 'Exceptions from the rules', ...quality.exceptions)}
    <h2>Timeline</h2>
    ${timeline(attempts)}
    <h2>Jobs</h2>
    ${table({
      caption: 'Jobs',
      head: ['Job', 'Status', 'Attempt', 'Took', 'Why', 'Tests', 'Coverage', 'Findings', 'Log', 'Artifacts'],
      rows: attempts.map((job) => [
        job.id,
        stateBadge(job.end),
        { number: job.attempts },
        duration(job.durationMs / 1_000),
        [job.why, job.resumedFrom === null ? null : `in the run ${job.resumedFrom}`].filter(Boolean).join(', '),
        job.reports === null ? '' : `${job.reports.tests}, ${job.reports.failed} failed`,
        job.reports?.coverage == null ? '' : `${job.reports.coverage} %`,
        job.reports === null ? '' : { number: job.reports.findings },
        job.log === null ? '' : html`<code>${job.log.digest}</code>`,
        job.artifacts === null ? '' : html`<code>${job.artifacts.digest}</code>`,
      ]),
      empty: 'It has no job.',
    })}
    ${
      quality.rules.length > 0 &&
      html`<h2>Rules</h2>
        ${table({
          caption: 'Rules',
          head: ['Rule', 'Result', 'Found', 'Examples', 'Waiver'],
          rows: quality.rules.map(({ rule, status: end, found, examples, waiver }) => [
            rule,
            stateBadge(end),
            found,
            examples.join(' · '),
            waiver === null ? '' : `until ${waiver.until}, approved by ${waiver.approved_by}: ${waiver.why}`,
          ]),
          empty: '',
        })}`
    }
    ${
      flaky.length > 0 &&
      html`<h2>Flaky tests</h2>
        ${table({
          caption: `Tests that passed and failed at the same commit, in the last ${FLAKY_RUNS} runs`,
          head: ['Test', 'Job', 'Commits', 'Failed', 'Passed', 'Last'],
          rows: flaky.map((test) => [
            test.name,
            test.job,
            { number: test.commits },
            { number: test.failed },
            { number: test.passed },
            test.last.slice(0, 10),
          ]),
          empty: '',
        })}`
    }
    <h2>Steps</h2>
    ${table({
      caption: 'Steps',
      head: ['Step', 'Job', 'Attempt', 'Status', 'Ended with', 'Took', 'Digest of the command'],
      rows: attempts.flatMap(({ id, attempts: attempt, steps }) =>
        steps.map(({ name, exitCode, signal, ended, durationMs, commandDigest }) => [
          name,
          id,
          { number: attempt },
          stateBadge(exitCode === 0 && ended === null ? 'passed' : 'failed'),
          ended ?? (exitCode === null ? `signal ${signal ?? 'unknown'}` : `exit code ${exitCode}`),
          duration(durationMs / 1_000),
          html`<code>${commandDigest.slice(0, 12)}</code>`,
        ]),
      ),
      empty: 'No step ran.',
    })}`;
  return reportPage({ title: `${pipeline} at ${commit.slice(0, 12)}`, body });
}

/** A job once for each of its attempts. */
function attemptsOf(job: RunJobOutcome): RunJobOutcome[] {
  const before = job.earlier.map((one, at) => ({
    ...job,
    ...one,
    attempts: at + 1,
    end: 'failed' as const,
    artifacts: null,
  }));
  return [...before, job];
}

function stateBadge(state: string): Html {
  return badge(state, TONES[state] ?? 'quiet');
}

/** When each job ran in this run, by the clocks of the workers; the table of jobs says the same in words. */
function timeline(jobs: readonly RunJobOutcome[]): Html {
  const ran = jobs.flatMap(({ id, end, startedAt, resumedFrom, durationMs }) =>
    startedAt === null || resumedFrom !== null ? [] : [{ id, end, from: Date.parse(startedAt), durationMs }],
  );
  if (ran.length === 0) return html`<p class="empty">No job ran.</p>`;
  const first = Math.min(...ran.map(({ from }) => from));
  const whole = Math.max(1, ...ran.map(({ from, durationMs }) => from - first + durationMs));
  const percent = (milliseconds: number): string => `${((milliseconds / whole) * 100).toFixed(2)}%`;
  const bars = ran.map(
    ({ id, end, from, durationMs }, at) =>
      html`<g>
        <title>${id}: ${end}, from ${duration((from - first) / 1_000)}, took ${duration(durationMs / 1_000)}</title>
        <rect class="${end === 'failed' ? 'bad' : 'good'}" x="${percent(from - first)}" y="${at * LINE + 14}" width="${percent(durationMs)}" height="6" rx="2" />
        <text x="${percent(Math.min(from - first, whole * 0.7))}" y="${at * LINE + 11}" font-size="11">${id}</text>
      </g>`,
  );
  return html`<svg role="img" aria-label="When each job ran; ${duration(whole / 1_000)} in all" width="100%" height="${ran.length * LINE}">
    ${bars}
  </svg>`;
}
