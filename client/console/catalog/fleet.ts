import { isOpen } from '../../../domain/shared/run-status.ts';
import type { GroupRun, GroupView } from '../../../activities/catalog/groups/view.ts';
import type { FleetReport } from '../../catalog/fleet-view.ts';
import { type Bar, barChart, timeChart } from '../chart.ts';
import { html, type Html } from '../html.ts';
import { type PageContent, reportPage } from '../layout.ts';
import { type Cell, table } from '../parts.ts';
import { time, timeShown } from '../time.ts';

/** Maximum number of table rows, so that browsers show the page at once. */
const MOST_ROWS = 500;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const AGES: readonly (readonly [label: string, below: number])[] = [
  ['1 hour', HOUR],
  ['6 hours', 6 * HOUR],
  ['1 day', DAY],
  ['1 week', 7 * DAY],
  ['1 month', 30 * DAY],
  ['older', Number.POSITIVE_INFINITY],
];

/** Which repositories a page of the fleet lists: `rows` from the position `from`, and links to the others. */
export interface FleetPart {
  readonly from: number;
  readonly rows: number;
  readonly pager: Html;
}

/** The fleet as one self-contained HTML document: no scripts, no external resources. */
export function fleetReport(view: FleetReport): string {
  const hidden = view.repositories.length - MOST_ROWS;
  const pager = html`${hidden > 0 && html`<p>and ${hidden} more</p>`}`;
  return reportPage(fleetContent(view, { from: 0, rows: MOST_ROWS, pager }));
}

/** The fleet: counts, charts, groups, failures and repositories. */
export function fleetContent(view: FleetReport, { from, rows, pager }: FleetPart): PageContent {
  const { at, index, repositories, groups, runs } = view;
  const failing = new Set(groups.flatMap(({ latest }) => latest?.result?.failures ?? []).map((one) => one.repository));
  const sum = (count: (one: (typeof repositories)[number]) => number): string =>
    repositories.reduce((total, one) => total + count(one), 0).toLocaleString('en');
  const failures = failureRows(groups);
  const finished = runs.filter((run) => run.result !== null);
  const body = html`<p>
      ${repositories.length} repositories, ${sum(({ files }) => files)} files, ${sum(({ objects }) => objects)} objects;
      ${repositories.filter(({ state }) => state === 'unfinished').length} unfinished, ${failing.size} failing. As of
      ${time(at)}.
    </p>
    <section class="charts" aria-label="Charts">
      ${barChart('Repositories by their last change in the index', ages(view))}
      ${barChart('Failures of the latest runs by type', failuresByType(groups))}
      ${timeChart('Seconds a run', finished.map(runBar(({ seconds }) => seconds ?? 0, ' s')), ' s')}
      ${timeChart('Files changed a run', finished.map(runBar(({ result }) => result?.filesChanged ?? 0, ' files')))}
    </section>
    <h2>Sync groups</h2>
    ${table({
      caption: 'Sync groups',
      head: [
        'Group',
        'Schedule',
        'State',
        'Matched',
        'Failed',
        'Latest run',
        'Complete as of',
        'Next run',
        'Missed',
        'Skipped',
      ],
      rows: groups.map(groupRow),
      empty: 'None.',
    })}
    <h2>Failing repositories</h2>
    ${table({
      caption: 'Failing repositories',
      head: ['Repository', 'Group', 'Failure', 'Message'],
      rows: failures.slice(0, MOST_ROWS),
      empty: 'None.',
    })}${failures.length > MOST_ROWS && html`<p>and ${failures.length - MOST_ROWS} more</p>`}
    <h2>Repositories, longest unchanged first</h2>
    ${table({
      caption: 'Repositories',
      head: ['Repository', 'Other branches', 'Last change indexed', 'Files', 'Objects', 'State'],
      rows: repositories
        .toSorted((a, b) => (a.indexedAt < b.indexedAt ? -1 : 1))
        .slice(from, from + rows)
        .map(({ repository, branches, indexedAt, files, objects, state }) => [
          repository,
          branches.join(', '),
          time(indexedAt),
          { number: files },
          { number: objects },
          state,
        ]),
      empty: 'None.',
    })}${pager}`;
  return { title: `Fleet ${index}`, body };
}

function ages({ at, repositories }: FleetReport): Bar[] {
  const now = Date.parse(at);
  return AGES.map(([label, below], index) => {
    const from = AGES[index - 1]?.[1] ?? Number.NEGATIVE_INFINITY;
    const value = repositories.filter(({ indexedAt }) => {
      const age = now - Date.parse(indexedAt);
      return age >= from && age < below;
    }).length;
    return { label, value };
  });
}

function failuresByType(groups: readonly GroupView[]): Bar[] {
  const counts = new Map<string, number>();
  for (const { latest } of groups) {
    for (const { type } of latest?.result?.failures ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].map(([label, value]) => ({ label, value, isBad: true }));
}

function runBar(valueOf: (run: GroupRun) => number, unit: string): (run: GroupRun) => Bar {
  return (run) => {
    const value = valueOf(run);
    const { group, startedAt, result } = run;
    const title = `${group} ${timeShown(startedAt)}: ${value}${unit}`;
    return { label: startedAt.slice(5, 16).replace('T', ' '), value, title, isBad: (result?.failed ?? 0) > 0 };
  };
}

function groupRow({ group, isPaused, latest, completeAt, nextRun, missed, skipped }: GroupView): Cell[] {
  const failed = latest?.result?.failed ?? (latest === null || isOpen(latest.status) ? 0 : latest.status);
  return [
    group.name,
    `${group.schedule} ${group.timezone}`,
    isPaused ? 'paused' : 'active',
    latest?.result === undefined || latest.result === null ? '' : { number: latest.result.matched },
    failed === 0 ? { number: 0 } : html`<span class="bad">${failed}</span>`,
    latest === null ? 'none' : time(latest.startedAt),
    completeAt === null
      ? html`<span class="${latest === null ? 'quiet' : 'bad'}">not recently</span>`
      : time(completeAt),
    time(nextRun),
    { number: missed },
    { number: skipped },
  ];
}

function failureRows(groups: readonly GroupView[]): Cell[][] {
  return groups.flatMap(({ group, latest }) =>
    (latest?.result?.failures ?? []).map(({ repository, type, error }): Cell[] => [
      repository,
      group.name,
      type,
      error,
    ]),
  );
}
