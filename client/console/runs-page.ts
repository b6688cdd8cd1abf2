import type { FlowProgress } from '../../domain/shared/progress.ts';
import { isOpen } from '../../domain/shared/run-status.ts';
import { CONSOLE } from './assets.ts';
import { html, type Html } from './html.ts';
import type { ConsolePage, ConsoleSources } from './page.ts';
import { badge, choice, facts, link, notice, pager, pathWith, progressBar, table, type Tone } from './parts.ts';
import { readRun, type RunDetail } from './run-view.ts';
import { listRuns, RUN_FILTERS, type RunFilter, type RunView } from './runs-view.ts';
import { duration, time } from './time.ts';

/** Runs on a page. */
const ROWS = 50;

const FILTER_NAMES: Readonly<Record<RunFilter, string>> = { open: 'Open', failed: 'Failed', ended: 'Ended' };

/** The pages of runs: the list, and one run. */
export function runPages(sources: ConsoleSources): readonly ConsolePage[] {
  const { client, flows } = sources;
  return [
    {
      path: '/runs',
      name: 'Runs',
      isLive: true,
      async render({ query }) {
        const filter = filterOf(query.get('show'));
        const type = query.get('flow') || null;
        const children = query.get('children') === '1';
        const after = query.get('after') || null;
        const pathOf = (part: { readonly show?: RunFilter; readonly after?: string | null }): string =>
          pathWith(`${CONSOLE}/runs`, {
            show: part.show ?? filter,
            flow: type,
            children: children ? '1' : null,
            after: part.after ?? null,
          });
        const { runs, next } = await listRuns(client, flows, { filter, type, children, after, most: ROWS });
        const filters = Object.keys(RUN_FILTERS).map((name) => {
          const show = filterOf(name);
          return { text: FILTER_NAMES[show], path: pathOf({ show }), isCurrent: show === filter };
        });
        const body = html`${choice('Which runs', filters)}${flowForm(sources, { filter, type, children })}
        ${table({
          caption: `${FILTER_NAMES[filter]} runs`,
          head: [
            'Run',
            'Flow',
            'Status',
            'Stage',
            'Waits for',
            'Started',
            filter === 'open' ? 'Running for' : 'Took',
            'Details',
          ],
          rows: runs.map((run) => rowOf(run, sources)),
          empty: filter === 'open' ? 'No flow is running.' : 'Temporal has no such runs.',
        })}
        ${pager('Pages of runs', { newer: after === null ? null : pathOf({}), older: next === null ? null : pathOf({ after: next }) })}`;
        return { title: 'Runs', body };
      },
    },
    {
      path: '/runs/:id',
      name: null,
      isLive: true,
      async render({ params: { id = '' }, query }) {
        const run = await readRun(client, flows, id, query.get('run') ?? undefined);
        return run === null ? null : { title: run.workflowId, body: detailOf(run, sources) };
      },
    },
  ];
}

/** The path of the page of a run. */
export function runPath(workflowId: string, runId: string | null = null): string {
  return pathWith(`${CONSOLE}/runs/${encodeURIComponent(workflowId)}`, { run: runId });
}

function filterOf(given: string | null): RunFilter {
  return given === 'failed' || given === 'ended' ? given : 'open';
}

function flowForm(
  { flows }: ConsoleSources,
  { filter, type, children }: { readonly filter: RunFilter; readonly type: string | null; readonly children: boolean },
): Html {
  const types = flows.all.map((flow) => flow.type).toSorted();
  return html`<form method="get" action="${CONSOLE}/runs">
    <input type="hidden" name="show" value="${filter}">
    <label class="field"><span>Flow</span>
      <select name="flow">
        <option value="">all</option>
        ${types.map((one) => html`<option${one === type && html` selected`}>${one}</option>`)}
      </select></label>
    <label class="field"><span>Runs that other runs started</span>
      <select name="children">
        <option value="">no</option>
        <option value="1"${children && html` selected`}>yes</option>
      </select></label>
    <button>Show</button>
  </form>`;
}

function rowOf(run: RunView, sources: ConsoleSources): (Html | string)[] {
  const { workflowId, runId, type, status, startedAt, progress } = run;
  return [
    link(runPath(workflowId, runId), workflowId),
    type,
    statusBadge(status),
    stageOf(run),
    progress === null ? '' : waitsFor(progress).join(' '),
    time(startedAt),
    took(run),
    temporalLink(sources, run) ?? '',
  ];
}

function stageOf({ status, progress }: RunView): Html | string {
  if (progress === null) return isOpen(status) ? html`<span class="muted">no worker answers</span>` : '';
  return html`${progress.stage} ${progressBar(progress.done, progress.total, progress.unit)}`;
}

/** What a run waits for: a person's answer, or a server. */
function waitsFor({ asks, lines }: FlowProgress): string[] {
  const waits = lines.filter((line) => line.startsWith('waiting for '));
  return asks === null ? waits : [`an answer: ${asks.question}`, ...waits];
}

const TONES: Readonly<Record<string, Tone>> = {
  RUNNING: 'busy',
  PAUSED: 'quiet',
  COMPLETED: 'good',
  FAILED: 'bad',
  TIMED_OUT: 'bad',
  TERMINATED: 'bad',
};

function statusBadge(status: string): Html {
  return badge(status.toLowerCase().replaceAll('_', ' '), TONES[status] ?? 'quiet');
}

/** A link to the history of a run in Temporal's web interface; null when its address is not known. */
function temporalLink(
  { uiUrl, client }: ConsoleSources,
  { workflowId, runId }: Pick<RunView, 'workflowId' | 'runId'>,
): Html | null {
  if (uiUrl === null) return null;
  const place = [client.options.namespace, 'workflows', workflowId, runId].map(encodeURIComponent).join('/');
  return html`<a href="${uiUrl}/namespaces/${place}/history" rel="noreferrer"
    >History<span class="unseen"> of ${workflowId} in Temporal</span></a
  >`;
}

/** How long a run took, or has been running in whole minutes: a live page is sent again when its text changes. */
function took({ startedAt, closedAt }: RunView): string {
  if (startedAt === null) return '';
  const seconds = Math.max(0, ((closedAt ?? new Date()).getTime() - startedAt.getTime()) / 1_000);
  if (closedAt !== null) return duration(seconds);
  return seconds < 60 ? 'under 1 min' : duration(Math.floor(seconds / 60) * 60);
}

function detailOf(run: RunDetail, sources: ConsoleSources): Html {
  const { status, progress, steps, children, parent, startedAt, closedAt } = run;
  const asks = progress?.asks ?? null;
  return html`${facts([
    ['Flow', run.type],
    ['Status', statusBadge(status)],
    ['Stage', stageOf(run)],
    ['About', run.summary],
    ['Started', time(startedAt)],
    ['Ended', closedAt && time(closedAt)],
    [closedAt === null ? 'Running for' : 'Took', took(run)],
    ['Started by the run', parent && link(runPath(parent.workflowId, parent.runId), parent.workflowId)],
    ['Events', run.events.toLocaleString('en')],
    ['Temporal', temporalLink(sources, run)],
  ])}
  ${asks !== null && notice('busy', `Waits for an answer: ${asks.question}`, ...asks.lines)}
  ${
    progress !== null &&
    progress.lines.length > 0 &&
    html`<h2>Progress</h2>
      <ul>
        ${progress.lines.map((line) => html`<li>${line}</li>`)}
      </ul>`
  }
  ${
    isOpen(status) &&
    html`<h2>Waits for these steps</h2>
      ${table({
        caption: 'Steps',
        head: ['Step', 'Attempt', 'Last failure', 'Next attempt'],
        rows: steps.map(({ name, attempt, failure, nextAt }) => [name, { number: attempt }, failure, time(nextAt)]),
        empty: 'No step is running.',
      })}
      <h2>Runs that it started</h2>
      ${table({
        caption: 'Runs',
        head: ['Run', 'Flow'],
        rows: children.map((child) => [link(runPath(child.workflowId, child.runId), child.workflowId), child.type]),
        empty: 'None is running.',
      })}`
  }`;
}
