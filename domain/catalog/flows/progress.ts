import type { FleetProgress, RepositoryOutcome } from '../../fleet/fleet.ts';
import type { ForgeBudgetStatus, LineStatus } from '../../forge/forge-budget.ts';
import { DIFFERENCES, type RepositoryVerification } from '../index/verification.ts';

/** The state of a fleet flow as a markdown table, for the details that the Temporal UI shows. Below 20 kB. */
export function describeProgress(progress: FleetProgress): string {
  const { stage, total, succeeded, failed, skipped, running, failures, sample } = progress;
  const rows: [string, string | number][] = [
    ['stage', stage],
    ...(progress.waiting ? [['waiting', waitingFor(progress.waiting)] as [string, string]] : []),
    ['matched', progress.matched],
    ['to do', total],
    ['succeeded', succeeded],
    ['failed', failed],
    ['skipped', skipped],
    ...(progress.moved > 0 ? [['moved from a former name', progress.moved] as [string, number]] : []),
    ['files changed', progress.filesChanged],
    ['objects written', progress.objectsWritten],
    ['objects deleted', progress.objectsDeleted],
  ];
  if (progress.verification) {
    const { differing, mended, differences } = progress.verification;
    rows.push(['repositories that differed', differing], ['of them mended', mended]);
    for (const kind of DIFFERENCES) rows.push([kind, differences[kind]]);
  }
  const parts = [`| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`];
  if (stage === 'waiting for confirmation') {
    parts.push(`${proceedQuestion(total)}\n\nAnswer with the update \`confirm\`: \`{"proceed": true}\`.`);
    parts.push(list('Matched', sample, total));
  }
  if (running.length > 0) parts.push(list('Working on', running, running.length));
  if (failures.length > 0) {
    const shown = failures.slice(0, 20).map(({ repository, type, error }) => `${repository}: ${type}: ${clip(error)}`);
    parts.push(list('Failed', shown, failed));
  }
  return parts.join('\n\n');
}

/** Who asks to wait, and until when, in words. */
export function waitingFor({ for: who, until }: { readonly for: string; readonly until: string }): string {
  return `waiting for ${who} until ${until.slice(0, 19)}Z`;
}

/** What a forge was asked and who waits for it, as markdown. */
export function describeForgeBudget({ rest, graphql, places, blockedUntil, waiting }: ForgeBudgetStatus): string {
  const rows: [string, string | number][] = [
    ['REST points this minute', rest.minute],
    ['REST requests left', hourOf(rest)],
    ['GraphQL points this minute', graphql.minute],
    ['GraphQL points left', hourOf(graphql)],
    ['requests at the same time, at most', places],
    ['refused until', blockedUntil ?? 'not refused'],
  ];
  const table = `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
  const waits = waiting.map(({ line, until }) => `${line} until ${until}`);
  return waits.length === 0 ? table : `${table}\n\n${list('Waiting', waits, waits.length)}`;
}

function hourOf({ hour }: LineStatus): string {
  return hour === null ? 'not counted' : `${hour.remaining} of ${hour.limit} until ${hour.resetsAt}`;
}

/** The question that a person is asked before an initial indexing. */
export function proceedQuestion(count: number): string {
  return `Matched ${count} ${count === 1 ? 'repository' : 'repositories'}. Proceed with initial indexing?`;
}

/** What became of one repository, as a markdown table. */
export function describeOutcome(outcome: RepositoryOutcome): string {
  const skipped = Object.entries(outcome.skipped).map(([reason, count]) => `${count} ${reason}`);
  const rows: [string, string | number][] = [
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
  return `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
}

/** What was found in one repository, as a markdown table with the first differences of each kind. */
export function describeVerification(found: RepositoryVerification): string {
  const rows: [string, string | number][] = [
    ['repository', escapeMarkdown(found.repository)],
    ['compared', found.compared],
    ['result', found.isTrue ? 'true' : 'differs'],
    ...(found.note === null ? [] : [['note', escapeMarkdown(found.note)] as [string, string]]),
    ['objects written', found.objectsWritten],
    ['objects deleted', found.objectsDeleted],
  ];
  const table = `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
  const lists = DIFFERENCES.flatMap((kind) => {
    const difference = found.differences[kind];
    return difference ? [list(`${difference.count} ${kind}`, difference.sample, difference.count)] : [];
  });
  return [table, ...lists].join('\n\n');
}

function list(title: string, names: readonly string[], count: number): string {
  const shown = names.slice(0, 50).map((name) => `- ${escapeMarkdown(name)}`);
  if (count > shown.length) shown.push(`- and ${count - shown.length} more`);
  return `**${title}**\n\n${shown.join('\n')}`;
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[`*_[\]<>|\\]/g, String.raw`\$&`).replaceAll(/\s+/g, ' ');
}
