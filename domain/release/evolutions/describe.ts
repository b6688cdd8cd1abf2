import type { Approval } from '../promotion/approval.ts';
import type { PolicyCheck } from './policy-check.ts';
import type { EvolutionStart } from './evolution.ts';

/** A generation with its evolutions, as the ledger has it. */
export interface GenerationView {
  readonly version: string;
  readonly status: string;
  readonly description: string;
  /** Of the release: when, by whom, and at which commit. Null for a draft. */
  readonly promotedAt: string | null;
  readonly promotedBy: string | null;
  readonly commit: string | null;
  /** What approved its promotion; null for a draft, and when no people were asked. */
  readonly approval: Approval | null;
  /** The released version that a hotfix repairs, and the branch of the hotfix; null for another generation. */
  readonly hotfixOf: string | null;
  readonly branch: string | null;
  /** In the order of their numbers. */
  readonly evolutions: readonly EvolutionView[];
  /** In the order of the contract. */
  readonly changes: readonly ChangeView[];
  /** What is not published yet; empty for a draft. */
  readonly missing: readonly MissingPart[];
}

/** What of a release is not published yet. */
export interface MissingPart {
  /** A file or an announcement; the release at the forge; the offer of a hotfix; or all, when no run has come to its end. */
  readonly kind: 'asset' | 'announcement' | 'release' | 'offer' | 'publication';
  readonly name: string;
  /** Why the last attempt failed; null when none has ended. */
  readonly problem: string | null;
}

/** An evolution of a {@link GenerationView}. */
export interface EvolutionView {
  readonly tag: string;
  readonly change: string;
  readonly status: string;
  /** When it ended or, if it has not, when it was started; ISO 8601 in UTC. */
  readonly time: string;
  readonly team: string | null;
  /** The person who started it. */
  readonly author: string;
  /** The tag of the later evolution that makes its failure count no more; null when none does. */
  readonly supersededBy: string | null;
}

/** A change of a {@link GenerationView}. */
export interface ChangeView {
  readonly id: string;
  readonly title: string;
  readonly status: string;
}

/**
 * The evolutions of a generation, as `longhaul evolution list` prints them; with a column for the team when a change names
 * one, and one for the author when there are several. A failure counts until a later evolution supersedes it.
 */
export function describeEvolutions({ version, status, description, evolutions, changes }: GenerationView): string {
  const hasTeams = evolutions.some(({ team }) => team !== null);
  const hasAuthors = new Set(evolutions.map(({ author }) => author)).size > 1;
  const row = (tag: string, change: string, end: string, team: string, time: string, author: string): string[] => [
    tag,
    change,
    end,
    ...(hasTeams ? [team] : []),
    time,
    ...(hasAuthors ? [author] : []),
  ];
  const rows = evolutions.map(({ tag, change, status: end, time, team, author }) =>
    row(tag, change, end, team ?? '', time.slice(0, 16).replace('T', ' '), author),
  );
  const open = evolutions.filter(
    ({ change, status: end, supersededBy: by }) =>
      end === 'fail' && by === null && changes.some(({ id }) => id === change),
  );
  const isReady = changes.every((change) => change.status === 'proven') && open.length === 0;
  return [
    `Generation: ${version} (${status})`,
    ...(description === '' ? [] : [`Description: ${description}`]),
    '',
    'Evolutions:',
    ...(rows.length === 0
      ? ['  none']
      : columns([row('Tag', 'Change', 'Status', 'Team', 'Timestamp', 'Author'), ...rows], [3, 3, 2, 3, 3])),
    ...describeSuperseded(evolutions),
    '',
    'Changes:',
    ...columns([['ID', 'Title', 'Status'], ...changes.map((one) => [one.id, one.title, one.status])], [2, 3]),
    '',
    `Ready for promotion: ${isReady ? 'YES' : 'NO'}`,
  ].join('\n');
}

/** The failures that count no more, as a line of a list; none when there are none. */
export function describeSuperseded(evolutions: readonly EvolutionView[]): readonly string[] {
  const superseded = evolutions.flatMap(({ tag, supersededBy: by }) =>
    by === null ? [] : [`${numberOf(tag)} by ${numberOf(by)}`],
  );
  return superseded.length === 0 ? [] : [`  ${superseded.length} superseded: ${superseded.join(', ')}`];
}

function numberOf(tag: string): string {
  return tag.slice(tag.indexOf('-') + 1);
}

/** Lines with aligned columns; `gaps` are the spaces after the widest cell of each but the last. */
function columns(rows: readonly (readonly string[])[], gaps: readonly number[]): string[] {
  const widths = gaps.map((gap, at) => gap + Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map(
    (row) => `  ${row.map((cell, at) => cell.padEnd(at === row.length - 1 ? 0 : (widths[at] ?? 0))).join('')}`,
  );
}

/** What `longhaul evolution start` prints when the evolution was started. */
export function describeStart({ started, pipeline, checks }: EvolutionStart, change: string): string {
  const validated =
    checks.length === 0 ? [] : ['Validating policies...', ...checks.map(({ policy }) => `  ${policy}: PASS`), ''];
  return [...validated, `Evolution started: ${started?.tag ?? ''}`, `Change: ${change}`, `Pipeline: ${pipeline}`].join(
    '\n',
  );
}

/** What it prints when policies are violated: a line for each violation. */
export function describeRefusal(checks: readonly PolicyCheck[]): string {
  const violated = checks.filter(({ violations }) => violations.length > 0);
  return [
    'ERROR: Policy violation',
    ...violated.flatMap(({ policy, appliesTo, violations }) => [
      '',
      `Policy: ${policy}`,
      `  Applies to: ${appliesTo}`,
      ...violations.map((violation) => `  Violation: ${violation}`),
    ]),
    '',
    'Evolution not started.',
  ].join('\n');
}
