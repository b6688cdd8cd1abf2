import type { FleetProgress, RepositoryOutcome } from './fleet.ts';
import type { ForgeBudgetStatus, LineStatus } from '../../forge/forge-budget.ts';
import { markdownList, type MarkdownRow, markdownTable } from '../../shared/markdown.ts';
import { DIFFERENCES, type RepositoryVerification } from '../index/verification.ts';

/** The state of a fleet flow as a markdown table, for the details that the Temporal UI shows. Below 20 kB. */
export function describeProgress(progress: FleetProgress): string {
  const { stage, total, succeeded, failed, skipped, running, failures, sample } = progress;
  const rows: MarkdownRow[] = [
    ['stage', stage],
    ...(progress.waiting ? [['waiting', waitingFor(progress.waiting)] as const] : []),
    ['matched', progress.matched],
    ['to do', total],
    ['succeeded', succeeded],
    ['failed', failed],
    ['skipped', skipped],
    ...(progress.moved > 0 ? [['moved from a former name', progress.moved] as const] : []),
    ['files changed', progress.filesChanged],
    ['objects written', progress.objectsWritten],
    ['objects deleted', progress.objectsDeleted],
  ];
  if (progress.verification) {
    const { differing, mended, differences } = progress.verification;
    rows.push(['repositories that differed', differing], ['of them repaired', mended]);
    for (const kind of DIFFERENCES) rows.push([kind, differences[kind]]);
  }
  const parts = [markdownTable(rows)];
  if (stage === 'waiting for confirmation') {
    parts.push(`${proceedQuestion(total)}\n\nAnswer with the update \`confirm\`: \`{"proceed": true}\`.`);
    parts.push(markdownList('Matched', sample, total));
  }
  if (running.length > 0) parts.push(markdownList('Working on', running, running.length));
  if (failures.length > 0) {
    const shown = failures.slice(0, 20).map(({ repository, type, error }) => `${repository}: ${type}: ${clip(error)}`);
    parts.push(markdownList('Failed', shown, failed));
  }
  return parts.join('\n\n');
}

/** Text that says which server limits the flow, and until when it waits. */
export function waitingFor({ for: who, until }: { readonly for: string; readonly until: string }): string {
  return `waiting for ${who} until ${until.slice(0, 19)}Z`;
}

/** The state of a forge's request budget, as markdown. */
export function describeForgeBudget({ rest, graphql, places, blockedUntil, waiting }: ForgeBudgetStatus): string {
  const rows: MarkdownRow[] = [
    ['REST points this minute', rest.minute],
    ['REST requests left', hourOf(rest)],
    ['GraphQL points this minute', graphql.minute],
    ['GraphQL points left', hourOf(graphql)],
    ['parallel requests, at most', places],
    ['refused until', blockedUntil ?? 'not refused'],
  ];
  const table = markdownTable(rows);
  const waits = waiting.map(({ line, until }) => `${line} until ${until}`);
  return waits.length === 0 ? table : `${table}\n\n${markdownList('Waiting', waits, waits.length)}`;
}

function hourOf({ hour }: LineStatus): string {
  return hour === null ? 'not counted' : `${hour.remaining} of ${hour.limit} until ${hour.resetsAt}`;
}

/** The question that a person is asked before an initial indexing. */
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

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
