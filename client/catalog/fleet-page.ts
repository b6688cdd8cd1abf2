import { isOpen } from '../../domain/shared/run-status.ts';
import type { GroupRun, GroupView } from '../../activities/catalog/groups/view.ts';
import type { FleetReport } from './fleet-view.ts';
import { type Bar, barChart, escapeHtml } from '../report/bar-chart.ts';

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

const STYLE = `
:root { color-scheme: light dark; --good: #2b7a4b; --bad: #b3261e; --line: #8888; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
svg line { stroke: var(--line); } .good { fill: var(--good); } .bad { fill: var(--bad); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.bad { color: var(--bad); } .number { text-align: right; font-variant-numeric: tabular-nums; }
`;

/** The fleet as one self-contained HTML page: no scripts, no external resources. */
export function fleetPage(view: FleetReport): string {
  const { at, index, repositories, groups, runs } = view;
  const failing = new Set(groups.flatMap(({ latest }) => latest?.result?.failures ?? []).map((one) => one.repository));
  const sum = (count: (one: (typeof repositories)[number]) => number): string =>
    repositories.reduce((total, one) => total + count(one), 0).toLocaleString('en');
  const finished = runs.filter((run) => run.result !== null);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Fleet ${escapeHtml(index)}</title><style>${STYLE}</style></head><body>
<h1>Fleet ${escapeHtml(index)}</h1>
<p>${repositories.length} repositories, ${sum(({ files }) => files)} files, ${sum(({ objects }) => objects)} objects;
${repositories.filter(({ state }) => state === 'unfinished').length} unfinished, ${failing.size} failing. As of ${time(at)}.</p>
<section class="charts">
${barChart('Repositories by their last change in the index', ages(view))}
${barChart('Failures of the latest runs by type', failuresByType(groups))}
${barChart('Seconds a run', finished.map(runBar(({ seconds }) => seconds ?? 0, ' s')), ' s')}
${barChart('Files changed a run', finished.map(runBar(({ result }) => result?.filesChanged ?? 0, ' files')))}
</section>
<h2>Sync groups</h2>
${table(
  ['group', 'schedule', 'state', 'matched', 'failed', 'latest run', 'complete as of', 'next run', 'missed', 'skipped'],
  groups.map(groupRow),
  groups.length,
)}
<h2>Failing repositories</h2>
${table(['group', 'repository', 'failure', 'message'], failureRows(groups), failing.size)}
<h2>Repositories, longest unchanged first</h2>
${table(
  ['repository', 'other branches', 'last change indexed', 'files', 'objects', 'state'],
  repositories
    .toSorted((a, b) => (a.indexedAt < b.indexedAt ? -1 : 1))
    .slice(0, MOST_ROWS)
    .map((one) => [one.repository, one.branches.join(', '), time(one.indexedAt), one.files, one.objects, one.state]),
  repositories.length,
)}
</body></html>
`;
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
    const title = `${group} ${time(startedAt)}: ${value}${unit}`;
    return { label: startedAt.slice(5, 16).replace('T', ' '), value, title, isBad: (result?.failed ?? 0) > 0 };
  };
}

function groupRow({ group, isPaused, latest, completeAt, nextRun, missed, skipped }: GroupView): Cell[] {
  const failed = latest?.result?.failed ?? (latest === null || isOpen(latest.status) ? 0 : latest.status);
  return [
    group.name,
    `${group.schedule} ${group.timezone}`,
    isPaused ? 'paused' : 'active',
    latest?.result?.matched ?? '',
    failed === 0 ? 0 : { text: String(failed), isBad: true },
    latest === null ? 'none' : time(latest.startedAt),
    completeAt === null ? { text: 'not recently', isBad: latest !== null } : time(completeAt),
    nextRun === null ? '' : time(nextRun),
    missed,
    skipped,
  ];
}

function failureRows(groups: readonly GroupView[]): Cell[][] {
  const rows = groups.flatMap(({ group, latest }) =>
    (latest?.result?.failures ?? []).map(({ repository, type, error }): Cell[] => [
      group.name,
      repository,
      type,
      error,
    ]),
  );
  return rows.slice(0, MOST_ROWS);
}

type Cell = string | number | { readonly text: string; readonly isBad: boolean };

function table(head: readonly string[], rows: readonly (readonly Cell[])[], total: number): string {
  if (rows.length === 0) return '<p>None.</p>';
  const more = total > rows.length ? `<p>and ${total - rows.length} more</p>` : '';
  const body = rows.map((row) => `<tr>${row.map(cellHtml).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head.map((name) => `<th>${escapeHtml(name)}</th>`).join('')}</tr></thead>
<tbody>${body}</tbody></table>${more}`;
}

function cellHtml(cell: Cell): string {
  if (typeof cell === 'number') return `<td class="number">${cell.toLocaleString('en')}</td>`;
  if (typeof cell === 'string') return `<td>${escapeHtml(cell)}</td>`;
  return `<td${cell.isBad ? ' class="bad"' : ''}>${escapeHtml(cell.text)}</td>`;
}

function time(iso: string): string {
  return iso === '' ? '' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
