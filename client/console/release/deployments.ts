import type { DeploymentView } from '../../../domain/release/deployment/describe.ts';
import { shortId } from '../../../domain/release/deployment/describe.ts';
import { describeShared } from '../../../domain/release/deployment/shared-file.ts';
import { describeReasons } from '../../../domain/release/deployment/reasons.ts';
import { type Bar, timeChart } from '../chart.ts';
import { html, type Html } from '../html.ts';
import { type PageContent, reportPage } from '../layout.ts';
import { badge, facts, link, notice, numberedPager, pathWith, table, type Tone } from '../parts.ts';
import { runPath } from '../runs-page.ts';
import { duration, time } from '../time.ts';
import { deploymentPath, DEPLOYMENTS, type ListPart, pages, releasesHead } from './generations.ts';

const TONES: Readonly<Record<DeploymentView['status'], Tone>> = {
  planned: 'busy',
  deploying: 'busy',
  deployed: 'good',
  undone: 'bad',
  'not undone': 'bad',
  refused: 'quiet',
  cancelled: 'quiet',
};
const VERDICTS: Readonly<Record<DeploymentView['samples'][number]['verdict'], Tone>> = {
  good: 'good',
  bad: 'bad',
  'no data': 'quiet',
};
/** Samples in the tables of a page or a report: the last ones. */
const SAMPLES = 200;

/** The list of deployments. */
export function deploymentsContent(part: ListPart<DeploymentView>, repository: string | null): PageContent {
  const body = html`${releasesHead(DEPLOYMENTS, repository)}
    ${table({
      caption: 'Deployments',
      head: ['Deployment', 'Repository', 'Environment', 'Release', 'Status', 'Planned', 'Took'],
      rows: part.rows.map((one) => [
        link(deploymentPath(one.id), shortId(one.id)),
        one.repository,
        one.environment,
        `${one.version}${one.goesBack ? ' (back)' : ''}`,
        badge(one.status, TONES[one.status]),
        html`${time(one.plannedAt)} by ${one.by}`,
        took(one),
      ]),
      empty: 'Nothing was deployed.',
    })}
    ${numberedPager('Pages of deployments', DEPLOYMENTS, { repository }, part.page, pages(part))}`;
  return { title: 'Deployments', body };
}

/** A deployment: what it changes, and what was measured. */
export function deploymentContent(view: DeploymentView): PageContent {
  const body = html`${facts([
    ['Status', badge(view.status, TONES[view.status])],
    ['Repository', link(pathWith(DEPLOYMENTS, { repository: view.repository }), view.repository)],
    ...factsOf(view),
    ['Flow', link(runPath(view.workflowId), view.workflowId)],
  ])}
  <p>${link(`${deploymentPath(view.id)}?report=1`, 'Download the report with the difference, one HTML file')}</p>
  ${parts(view)}`;
  return { title: titleOf(view), body };
}

/** The report of a deployment as one file: what it changed, when, what was measured, and the difference as text. */
export function deploymentReport(view: DeploymentView, diff: string | null): string {
  const body = html`${facts([
    ['Status', badge(view.status, TONES[view.status])],
    ['Repository', view.repository],
    ...factsOf(view),
    ['Deployment', html`<code>${view.id}</code>`],
    ['Plan', view.plan === null ? '' : html`<code>${view.plan}</code>`],
  ])}
  ${parts(view)}
  <h2>Difference</h2>
  ${diff === null || diff === '' ? html`<p class="empty">There is none.</p>` : html`<pre>${diff}</pre>`}`;
  return reportPage({ title: titleOf(view), body });
}

function titleOf({ version, environment, goesBack }: DeploymentView): string {
  return goesBack ? `${environment} back to ${version}` : `${version} to ${environment}`;
}

function factsOf(view: DeploymentView): readonly (readonly [string, Html | string])[] {
  return [
    ['Commit', html`<code>${view.commit}</code>`],
    ['Services', view.services.join(', ')],
    ['Contexts', contextsOf(view).join(', ')],
    ...(view.shared === null ? [] : [['Environment of', describeShared(view.shared)] as const]),
    ['By', view.by],
    ['Took', took(view)],
  ];
}

/** The contexts of the clusters that it changes, that of the environment first. */
function contextsOf({ context, objects }: DeploymentView): readonly string[] {
  return [...new Set([context, ...objects.map((object) => object.context)])];
}

/** What a page and a report have in common. */
function parts(view: DeploymentView): Html {
  const { why, objects, samples, approvedBy } = view;
  const reasons = [...describeReasons(view), ...approvedBy.map((person) => `approved by ${person}`)];
  const kept = objects.flatMap(({ what, kept: paths }) => paths.map((path) => `${what}: ${path}`));
  return html`${why !== null && notice(view.status === 'deployed' ? 'quiet' : 'bad', 'Why', why)}
    ${reasons.length > 0 && notice('quiet', 'Reasons and approvals', ...reasons)}
    ${kept.length > 0 && notice('busy', 'Fields that others changed meanwhile, and keep', ...kept)}
    <h2>Timeline</h2>
    ${table({
      caption: 'Timeline',
      head: ['When', 'What'],
      rows: timeline(view).map(([at, what]) => [moment(at), what]),
      empty: '',
    })}
    <h2>Objects</h2>
    ${table({
      caption: 'Objects',
      head: ['Object', 'Service', 'Change', 'State'],
      rows: objects.map(({ what, service, action, state }) => [what, service, action, state]),
      empty: 'It changes no object.',
    })}
    <h2>Samples</h2>
    ${charts(samples)}
    ${table({
      caption: `Samples${samples.length > SAMPLES ? `, the last ${SAMPLES} of ${samples.length}` : ''}`,
      head: ['When', 'Verdict', 'What was measured'],
      rows: samples
        .slice(-SAMPLES)
        .map(({ at, verdict, why: said }) => [moment(at), badge(verdict, VERDICTS[verdict]), said]),
      empty: 'Nothing was measured.',
    })}`;
}

/** What happened when, the first first. */
function timeline({
  plannedAt,
  startedAt,
  endedAt,
  status,
  samples,
}: DeploymentView): readonly (readonly [string, string])[] {
  const bad = samples.find(({ verdict }) => verdict === 'bad');
  const events: (readonly [string, string])[] = [
    [plannedAt, 'planned'],
    ...(startedAt === null ? [] : [[startedAt, 'the first change'] as const]),
    ...(samples[0] === undefined ? [] : [[samples[0].at, 'the first sample'] as const]),
    ...(bad === undefined ? [] : [[bad.at, `the first bad sample: ${bad.why}`] as const]),
    ...(endedAt === null ? [] : [[endedAt, status] as const]),
  ];
  return events.toSorted(([one], [other]) => Date.parse(one) - Date.parse(other));
}

const CHARTS = {
  errors: { heading: 'Failed requests', unit: ' %', factor: 100 },
  latency: { heading: 'How long requests take', unit: ' s', factor: 1 },
} as const;

/** A chart for each metric; health checks are in the table. */
function charts(samples: DeploymentView['samples']): readonly Html[] {
  return (['errors', 'latency'] as const).flatMap((what) => {
    const { heading, unit, factor } = CHARTS[what];
    const bars = samples.flatMap(({ at, verdict, why, sample }): Bar[] =>
      sample.what === what && typeof sample.value === 'number' && Number.isFinite(sample.value)
        ? [{ label: at.slice(11, 19), value: sample.value * factor, title: `${at}: ${why}`, isBad: verdict === 'bad' }]
        : [],
    );
    return bars.length === 0 ? [] : [timeChart(heading, bars, unit)];
  });
}

/** A time to the second. */
function moment(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function took({ startedAt, endedAt }: DeploymentView): string {
  if (startedAt === null) return '';
  return endedAt === null ? 'not ended' : duration((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000);
}
