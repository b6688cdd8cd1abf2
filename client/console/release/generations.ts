import { doubtOf } from '../../../domain/release/promotion/approval.ts';
import { CONSOLE } from '../assets.ts';
import { html, type Html, type HtmlValue } from '../html.ts';
import type { PageContent } from '../layout.ts';
import {
  badge,
  type Cell,
  choice,
  facts,
  field,
  link,
  numberedPager,
  pathWith,
  progressBar,
  table,
  type Tone,
} from '../parts.ts';
import { time } from '../time.ts';
import type { ChangeRow, EvolutionRow, GenerationRow, ShownGeneration } from './read-releases.ts';

/** Path of the list of generations. */
export const RELEASES = `${CONSOLE}/releases`;
/** Path of the list of runs of pipelines. */
export const PIPELINE_RUNS = `${RELEASES}/runs`;
/** Path of the list of deployments. */
export const DEPLOYMENTS = `${RELEASES}/deployments`;

/** A part of a long list: its rows, the number of its page from 1, and whether there is another. */
export interface ListPart<Row> {
  readonly rows: readonly Row[];
  readonly page: number;
  readonly hasMore: boolean;
}

const TONES: Readonly<Record<string, Tone>> = {
  promoted: 'good',
  proven: 'good',
  pass: 'good',
  fail: 'bad',
  running: 'busy',
  pending: 'busy',
};

/** The status of a generation, change, evolution, run or job. */
export function releaseBadge(status: string): Html {
  return badge(status, TONES[status] ?? 'quiet');
}

/** The page of a generation. */
export function generationPath(id: string): string {
  return `${RELEASES}/generations/${encodeURIComponent(id)}`;
}

/** The page of a run of a pipeline. */
export function pipelineRunPath(id: string): string {
  return `${PIPELINE_RUNS}/${encodeURIComponent(id)}`;
}

/** The page of a deployment. */
export function deploymentPath(id: string): string {
  return `${DEPLOYMENTS}/${encodeURIComponent(id)}`;
}

/** The links between the lists, and the form that restricts a list to one repository. */
export function releasesHead(
  current: typeof RELEASES | typeof PIPELINE_RUNS | typeof DEPLOYMENTS,
  repository: string | null,
): Html {
  const of = (path: string): string => pathWith(path, { repository });
  return html`${choice('Releases', [
    { text: 'Generations', path: of(RELEASES), isCurrent: current === RELEASES },
    { text: 'Pipeline runs', path: of(PIPELINE_RUNS), isCurrent: current === PIPELINE_RUNS },
    { text: 'Deployments', path: of(DEPLOYMENTS), isCurrent: current === DEPLOYMENTS },
  ])}
  <form method="get" action="${current}">
    ${field('repository', 'Repository', { value: repository ?? '', hint: 'work/acme/api' })}
    <button>Show</button>
  </form>`;
}

/** The list of generations. */
export function generationsContent(part: ListPart<GenerationRow>, repository: string | null): PageContent {
  const body = html`${releasesHead(RELEASES, repository)}
    ${table({
      caption: 'Generations',
      head: ['Version', 'Repository', 'Status', 'Changes proven', 'Evolutions', 'Description', 'Created', 'Promoted'],
      rows: part.rows.map((one) => [
        link(generationPath(one.id), one.version),
        one.repository,
        releaseBadge(one.status),
        progressBar(one.proven, one.changes, 'changes'),
        { number: one.evolutions },
        one.description,
        html`${time(one.createdAt)} by ${one.createdBy}`,
        one.promotedAt === null ? '' : html`${time(one.promotedAt)} by ${one.promotedBy}`,
      ]),
      empty: 'The ledger has no generation: the first evolution of a version adds it.',
    })}
    ${numberedPager('Pages of generations', RELEASES, { repository }, part.page, pages(part))}`;
  return { title: 'Releases', body };
}

/** A generation with a part of its changes and of its evolutions. */
export function generationContent(
  generation: ShownGeneration,
  changes: ListPart<ChangeRow>,
  evolutions: ListPart<EvolutionRow>,
): PageContent {
  const { id, version, repository, status, description } = generation;
  const path = generationPath(id);
  const hasTeams = [...changes.rows, ...evolutions.rows].some(({ team }) => team !== null);
  const withTeam = (cells: readonly Cell[], team: HtmlValue): Cell[] => [...cells, ...(hasTeams ? [team] : [])];
  const body = html`${facts([
    ['Repository', link(pathWith(RELEASES, { repository }), repository)],
    ['Status', releaseBadge(status)],
    ['Description', description],
    ['Changes', progressBar(generation.proven, generation.changes, 'proven')],
    ['Evolutions', generation.evolutions.toLocaleString('en')],
    ['Created', html`${time(generation.createdAt)} by ${generation.createdBy}`],
    ['Promoted', generation.promotedAt && html`${time(generation.promotedAt)} by ${generation.promotedBy}`],
    ['Approval', doubtOf(generation.approval)],
    ['Commit', generation.commit && html`<code>${generation.commit}</code>`],
  ])}
  <h2>Changes</h2>
  ${table({
    caption: 'Changes',
    head: ['Change', 'Title', 'Type', 'Status', 'Evolutions', ...(hasTeams ? ['Team'] : [])],
    rows: changes.rows.map((one) =>
      withTeam([one.id, one.title, one.type, releaseBadge(one.status), { number: one.evolutions }], one.team),
    ),
    empty: 'The contract has no change.',
  })}
  ${numberedPager('Pages of changes', path, pageOf('evolutions', evolutions), changes.page, pages(changes), 'changes')}
  <h2>Evolutions, newest first</h2>
  ${table({
    caption: 'Evolutions',
    head: ['Tag', 'Change', 'Status', 'Pipeline', 'Commit', 'Started', 'Ended', ...(hasTeams ? ['Team'] : [])],
    rows: evolutions.rows.map((one) =>
      withTeam(
        [
          one.tag,
          one.change,
          html`${releaseBadge(one.status)} ${one.supersededBy !== null && html`superseded by ${one.supersededBy}`}`,
          one.run === null ? one.pipeline : link(pipelineRunPath(one.run), one.pipeline ?? one.run),
          one.commit && html`<code>${one.commit.slice(0, 12)}</code>`,
          html`${time(one.createdAt)} by ${one.createdBy}`,
          time(one.completedAt),
        ],
        one.team,
      ),
    ),
    empty: 'None was started.',
  })}
  ${numberedPager('Pages of evolutions', path, pageOf('changes', changes), evolutions.page, pages(evolutions), 'evolutions')}`;
  return { title: `${version} of ${repository}`, body };
}

/** The parameter that keeps another list of the same page where it is. */
function pageOf(parameter: string, { page }: ListPart<unknown>): Record<string, string | null> {
  return { [parameter]: page === 1 ? null : String(page) };
}

/** The number of pages that are known to be there. */
export function pages({ page, hasMore }: ListPart<unknown>): number {
  return hasMore ? page + 1 : page;
}
