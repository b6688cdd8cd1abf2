import { html, type Html } from '../html.ts';
import type { PageContent } from '../layout.ts';
import { facts, link, numberedPager, pathWith, table } from '../parts.ts';
import { runPath } from '../runs-page.ts';
import { duration, time } from '../time.ts';
import { type ListPart, PIPELINE_RUNS, pages, pipelineRunPath, releaseBadge, releasesHead } from './generations.ts';
import type { LogTail } from './log-tail.ts';
import type { JobRow, PipelineRunRow } from './read-releases.ts';

/** The list of runs of pipelines. */
export function pipelineRunsContent(part: ListPart<PipelineRunRow>, repository: string | null): PageContent {
  const body = html`${releasesHead(PIPELINE_RUNS, repository)}
    ${table({
      caption: 'Pipeline runs',
      head: ['Pipeline', 'Repository', 'Status', 'Commit', 'Branch', 'Started', 'Took'],
      rows: part.rows.map((one) => [
        link(pipelineRunPath(one.id), one.pipeline),
        one.repository,
        releaseBadge(one.status),
        html`<code>${one.commit.slice(0, 12)}</code>`,
        one.branch,
        html`${time(one.startedAt ?? one.createdAt)} by ${one.createdBy}`,
        took(one),
      ]),
      empty: 'No pipeline has run.',
    })}
    ${numberedPager('Pages of runs', PIPELINE_RUNS, { repository }, part.page, pages(part))}`;
  return { title: 'Pipeline runs', body };
}

/** A run of a pipeline with its jobs. */
export function pipelineRunContent(run: PipelineRunRow, jobs: readonly JobRow[]): PageContent {
  const body = html`${facts([
    ['Repository', link(pathWith(PIPELINE_RUNS, { repository: run.repository }), run.repository)],
    ['Status', releaseBadge(run.status)],
    ['Commit', html`<code>${run.commit}</code>`],
    ['Branch', run.branch],
    ['Started by', html`${run.createdBy} (${run.event})`],
    ['Started', time(run.startedAt ?? run.createdAt)],
    ['Ended', run.completedAt && time(run.completedAt)],
    ['Took', took(run)],
    ['Flow', run.workflowId && link(runPath(run.workflowId, run.id), run.workflowId)],
  ])}
  ${run.completedAt && html`<p>${link(`${pipelineRunPath(run.id)}?report=1`, 'Download the report, one HTML file')}</p>`}
  <h2>Jobs</h2>
  ${table({
    caption: 'Jobs',
    head: ['Job', 'Status', 'Attempt', 'Took', 'Ended with', 'Log'],
    rows: jobs.map((one) => [
      one.job,
      releaseBadge(one.status),
      { number: one.attempt },
      one.duration === null ? '' : duration(one.duration),
      endOf(one),
      one.log === null
        ? ''
        : link(
            logPath(run.id, one),
            html`Log<span class="unseen"> of ${one.job}${one.attempt > 1 && `, attempt ${one.attempt}`}</span>`,
          ),
    ]),
    empty: 'It has no job.',
  })}
  <h2>Steps</h2>
  ${table({
    caption: 'Steps',
    head: ['Job', 'Attempt', 'Step', 'Ended with', 'Took', 'Command (SHA-256)'],
    rows: jobs.flatMap(({ job, attempt, steps }) =>
      steps.map((step) => [
        job,
        { number: attempt },
        text(step['name']),
        endOf({ exitCode: number(step['exitCode']), signal: text(step['signal']), ended: text(step['ended']) }),
        duration((number(step['durationMs']) ?? 0) / 1_000),
        html`<code>${text(step['commandDigest']).slice(0, 12)}</code>`,
      ]),
    ),
    empty: 'It has no step.',
  })}`;
  return { title: `${run.pipeline} at ${run.commit.slice(0, 12)}`, body };
}

/** The end of the log of a job. */
export function logContent(run: PipelineRunRow, job: JobRow, { text: log, skipped, size }: LogTail): PageContent {
  const body = html`${facts([
    ['Run', link(pipelineRunPath(run.id), `${run.pipeline} at ${run.commit.slice(0, 12)}`)],
    ['Status', releaseBadge(job.status)],
    ['Attempt', String(job.attempt)],
    ['Took', job.duration !== null && duration(job.duration)],
    ['Size', `${size.toLocaleString('en')} bytes`],
    ['Blob', html`<code>${job.log}</code>`],
  ])}
  <p>${link(`${logPath(run.id, job)}&whole=1`, 'Download the whole log')}</p>
  ${skipped > 0 && html`<p class="muted">The first ${skipped.toLocaleString('en')} bytes are not shown.</p>`}
  ${log === '' ? html`<p class="empty">The log is empty.</p>` : html`<pre>${log}</pre>`}`;
  return { title: `Log of ${job.job}`, body };
}

/** The page of the log of a job. */
export function logPath(run: string, { job, attempt }: Pick<JobRow, 'job' | 'attempt'>): string {
  return pathWith(`${pipelineRunPath(run)}/log`, { job, attempt: String(attempt) });
}

function took({ startedAt, completedAt }: PipelineRunRow): string {
  if (startedAt === null || completedAt === null) return '';
  return duration(Math.max(0, (completedAt.getTime() - startedAt.getTime()) / 1_000));
}

function endOf({
  exitCode,
  signal,
  ended = '',
}: {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ended?: string;
}): Html | string {
  if (ended !== '') return ended;
  if (exitCode !== null) return `exit code ${exitCode}`;
  return signal === null || signal === '' ? '' : `signal ${signal}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
