import type { CatalogCounters, RepositoryOutcome } from './fleet.ts';
import type { FleetView } from '../../fleet/describe.ts';
import type { ForgeBudgetStatus, LineStatus } from '../../forge/forge-budget.ts';
import type { FlowProgress } from '../../shared/progress.ts';
import { markdownList, type MarkdownRow, markdownTable } from '../../shared/markdown.ts';
import { DIFFERENCES, type RepositoryVerification } from '../index/verification.ts';

/** How the catalog's fleet flows show their counts, and what they ask before an initial indexing. */
export const CATALOG_VIEW: FleetView<CatalogCounters> = {
  rows({ moved, filesChanged, objectsWritten, objectsDeleted, verification }) {
    const rows: MarkdownRow[] = [
      ...(moved > 0 ? [['moved from a former name', moved] as const] : []),
      ['files changed', filesChanged],
      ['objects written', objectsWritten],
      ['objects deleted', objectsDeleted],
    ];
    if (verification === undefined) return rows;
    const { differing, mended, differences } = verification;
    rows.push(['repositories that differed', differing], ['of them repaired', mended]);
    return [...rows, ...DIFFERENCES.map((kind) => [kind, differences[kind]] as const)];
  },
  lines: ({ filesChanged, objectsWritten, objectsDeleted, verification }) => [
    `${filesChanged} files`,
    `+${objectsWritten} -${objectsDeleted} objects`,
    ...(verification === undefined ? [] : [`${verification.differing} differ`]),
  ],
  question: proceedQuestion,
};

/** The state of a forge's request budget, as markdown. */
export function describeForgeBudget(status: ForgeBudgetStatus): string {
  const { rest, graphql, content, places, blockedUntil, waiting } = status;
  const rows: MarkdownRow[] = [
    ['REST points this minute', rest.minute],
    ['REST requests left', hourOf(rest)],
    ['GraphQL points this minute', graphql.minute],
    ['GraphQL points left', hourOf(graphql)],
    ['created this minute', content.minute],
    ['created this hour', content.hour],
    ['parallel requests, at most', places],
    ['refused until', blockedUntil ?? 'not refused'],
  ];
  const table = markdownTable(rows);
  const waits = waiting.map(({ line, until }) => `${line} until ${until}`);
  return waits.length === 0 ? table : `${table}\n\n${markdownList('Waiting', waits, waits.length)}`;
}

/** The progress of a `forgeBudget`: the requests of this hour, as far as the forge counts them. */
export function forgeBudgetProgress(status: ForgeBudgetStatus): FlowProgress {
  const { rest, graphql, content, places, blockedUntil, waiting } = status;
  const { limit, remaining } = rest.hour ?? { limit: 0, remaining: 0 };
  return {
    stage: blockedUntil === null ? (waiting.length === 0 ? 'granting requests' : 'workers wait') : 'refused',
    done: Math.max(0, limit - remaining),
    total: limit,
    unit: 'REST requests of this hour',
    lines: [
      `${rest.minute} REST and ${graphql.minute} GraphQL points this minute`,
      ...(content.hour === 0 ? [] : [`${content.hour} requests of this hour create content`]),
      `${places} parallel requests`,
      ...(graphql.hour === null ? [] : [`GraphQL points left: ${hourOf(graphql)}`]),
      ...(blockedUntil === null ? [] : [`refused by the forge until ${blockedUntil}`]),
      ...waiting.map(({ line, until }) => `waiting for ${line} until ${until}`),
    ],
    asks: null,
  };
}

/** The progress of a `takeDeliveries`: `taken` deliveries, of which `inHand` are not yet forwarded. */
export function deliveriesProgress({
  taken,
  inHand,
  pending,
  failure,
}: {
  readonly taken: number;
  readonly inHand: number;
  readonly pending: number;
  /** The last error of a delivery that was not forwarded; null when there is none. */
  readonly failure: string | null;
}): FlowProgress {
  return {
    stage: inHand > 0 ? 'forwarding' : pending > 0 ? 'waiting for quiet' : 'done',
    done: taken - inHand,
    total: taken + pending,
    unit: 'deliveries',
    lines: failure === null ? [] : [`some were not forwarded: ${failure}`],
    asks: null,
  };
}

function hourOf({ hour }: LineStatus): string {
  return hour === null ? 'not counted' : `${hour.remaining} of ${hour.limit} until ${hour.resetsAt}`;
}

/** The question before an initial indexing. */
export function proceedQuestion(count: number): string {
  return `Matched ${count} ${count === 1 ? 'repository' : 'repositories'}. Proceed with initial indexing?`;
}

/** The result of one repository, as a markdown table. */
export function describeOutcome(outcome: RepositoryOutcome): string {
  const skipped = Object.entries(outcome.skipped).map(([reason, count]) => `${count} ${reason}`);
  const rows: MarkdownRow[] = [
    ['repository', outcome.repository],
    ['commit', outcome.commit],
    ['read', outcome.full === null ? 'the differential' : `everything (${outcome.full})`],
    ['files changed', outcome.filesChanged],
    ['objects written', outcome.objectsWritten],
    ['objects deleted', outcome.objectsDeleted],
    ['objects now', outcome.objects],
    ['embedded / reused', `${outcome.embedded} / ${outcome.embeddingsReused}`],
    ['not indexed', skipped.length === 0 ? 'none' : skipped.join(', ')],
  ];
  return markdownTable(rows);
}

/** The result of verifying one repository, as a markdown table with the first differences of each kind. */
export function describeVerification(found: RepositoryVerification): string {
  const rows: MarkdownRow[] = [
    ['repository', found.repository],
    ['compared', found.compared],
    ['result', found.isTrue ? 'matches' : 'differs'],
    ...(found.note === null ? [] : [['note', found.note] as const]),
    ['objects written', found.objectsWritten],
    ['objects deleted', found.objectsDeleted],
  ];
  const table = markdownTable(rows);
  const lists = DIFFERENCES.flatMap((kind) => {
    const difference = found.differences[kind];
    return difference ? [markdownList(`${difference.count} ${kind}`, difference.sample, difference.count)] : [];
  });
  return [table, ...lists].join('\n\n');
}
