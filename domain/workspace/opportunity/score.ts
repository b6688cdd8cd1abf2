import type { OpenItem } from '../../forge/open-work.ts';
import type { Intent } from '../intent/intent.ts';
import { foldWord } from '../intent/words.ts';
import type { ScoreSignal } from './opportunity.ts';

/** An issue with what is known about it. */
export interface ScoredIssue {
  readonly item: OpenItem;
  /** Open pull requests that close it. */
  readonly claims: readonly OpenItem[];
  readonly intent: Intent;
  /** Labels that are asked for. */
  readonly labels: readonly string[];
  /** Capabilities that it requires and that are not among the skills; null when these are not known. */
  readonly lacks: readonly string[] | null;
  /** ISO 8601. */
  readonly now: string;
}

interface Signal extends ScoreSignal {
  readonly holds: (issue: ScoredIssue) => boolean;
}

const DAY_MS = 86_400_000;

const has =
  (...labels: readonly string[]) =>
  ({ item }: Pick<ScoredIssue, 'item'>): boolean =>
    item.labels.some((label) => {
      // forges write scopes before labels: `kind/bug`, `type::bug`
      const folded = foldWord(label);
      return labels.some((wanted) => folded === wanted || folded.endsWith(`-${wanted}`));
    });

const isBug = has('bug', 'regression', 'defect');
const isFeature = has('feature', 'feature-request', 'enhancement');

/** True for an issue that only waits: for its maintainers, a decision, or something upstream. */
export const isBlocked = has(
  'blocked',
  'on-hold',
  'upstream',
  'needs-decision',
  'needs-design',
  'design-decision',
  'waiting-for-maintainer',
  'waiting-on-upstream',
);

/** True for an issue that its author has to explain first. */
export const isUnclear = has(
  'needs-info',
  'needs-more-info',
  'needs-reproduction',
  'needs-repro',
  'question',
  'needs-triage',
);

/** True for an issue that its maintainers do not want to have solved. */
export const isUnwanted = has('wontfix', 'invalid', 'duplicate');

/** True for an issue with code, steps or a stack trace that show it. */
export function hasReproduction({ item: { body, labels } }: Pick<ScoredIssue, 'item'>): boolean {
  return (
    labels.some((label) => ['has-reproduction', 'has-repro', 'reproduced', 'confirmed'].includes(foldWord(label))) ||
    /^(?:```|~~~)/m.test(body) ||
    /\b(?:steps to reproduce|to reproduce|reproduction|minimal example|stack ?trace|traceback)\b/i.test(body)
  );
}

/** True for an issue that is said to be easy. */
export const isEasy = has('good-first-issue', 'beginner', 'beginner-friendly', 'starter', 'easy', 'low-hanging-fruit');
const isHard = has('hard', 'difficult', 'complex', 'epic', 'expert');

/**
 * Everything that counts for an issue, and against it. The first three are Graft's, with its scores. An order by the sum
 * is the same for equal issues.
 */
export const SCORE_SIGNALS: readonly Signal[] = [
  { label: 'beginner-friendly label', score: 50, holds: isEasy },
  { label: 'help-wanted label', score: 35, holds: has('help-wanted', 'up-for-grabs', 'contributions-welcome') },
  { label: 'has reproduction', score: 10, holds: hasReproduction },
  {
    label: 'label that is asked for',
    score: 25,
    holds: ({ labels, item }) => labels.some((label) => item.labels.includes(label)),
  },
  {
    label: 'kind that is asked for',
    score: 20,
    holds: (issue) => {
      const wanted = issue.intent.preferences.bug_vs_feature;
      return (wanted === 'bug' && isBug(issue)) || (wanted === 'feature' && isFeature(issue));
    },
  },
  {
    label: 'about tests, as asked for',
    score: 10,
    holds: (issue) =>
      issue.intent.preferences.needs_tests === true &&
      (has('test', 'tests', 'testing', 'flaky')(issue) || /\btests?\b/i.test(issue.item.title)),
  },
  { label: 'discussed', score: 5, holds: ({ item }) => item.comments >= 2 && item.comments <= 20 },
  {
    label: 'changed in the last 30 days',
    score: 10,
    holds: ({ item, now }) => Date.parse(now) - Date.parse(item.updatedAt) <= 30 * DAY_MS,
  },
  {
    label: 'unchanged for a year',
    score: -15,
    holds: ({ item, now }) => Date.parse(now) - Date.parse(item.updatedAt) > 365 * DAY_MS,
  },
  {
    label: 'other kind than asked for',
    score: -20,
    holds: (issue) => {
      const wanted = issue.intent.preferences.bug_vs_feature;
      return (wanted === 'bug' && isFeature(issue)) || (wanted === 'feature' && isBug(issue));
    },
  },
  {
    label: 'harder than asked for',
    score: -30,
    holds: (issue) =>
      issue.intent.constraints.max_difficulty !== null &&
      issue.intent.constraints.max_difficulty !== 'hard' &&
      isHard(issue),
  },
  { label: 'needs other skills', score: -20, holds: ({ lacks }) => (lacks ?? []).length > 0 },
  { label: 'long discussion', score: -10, holds: ({ item }) => item.comments > 20 },
  { label: 'no description', score: -10, holds: ({ item }) => item.body.trim() === '' },
  { label: 'unclear to its maintainers', score: -15, holds: isUnclear },
  { label: 'not wanted by its maintainers', score: -60, holds: isUnwanted },
  { label: 'blocked', score: -40, holds: isBlocked },
  { label: 'assigned', score: -25, holds: ({ item }) => item.assignees.length > 0 },
  { label: 'has an open pull request', score: -50, holds: ({ claims }) => claims.length > 0 },
];

/** The score of an issue: the signals that hold, and their sum, from 0 to 100. */
export function scoreOf(issue: ScoredIssue): { readonly total: number; readonly signals: readonly ScoreSignal[] } {
  const signals = SCORE_SIGNALS.filter(({ holds }) => holds(issue)).map(({ label, score }) => ({ label, score }));
  const sum = signals.reduce((total, { score }) => total + score, 0);
  return { total: Math.min(100, Math.max(0, sum)), signals };
}
