import { LonghaulError } from '../../shared/failures.ts';
import { type Difficulty, EMPTY_INTENT, type Intent, type NamedIssue } from './intent.ts';
import { foldWord, singular } from './words.ts';

/** What a sentence says, without knowing any repository. */
export interface SentenceParts {
  readonly issues: readonly NamedIssue[];
  readonly labels: readonly string[];
  readonly consumers: boolean;
  readonly constraints: Intent['constraints'];
  readonly preferences: Intent['preferences'];
  /** The other words that may mean something, as written, in their order. */
  readonly words: readonly string[];
}

const LONGEST = 2_000;

/** Labels that most forges and projects have. */
const USUAL_LABELS = [
  'good first issue',
  'help wanted',
  'up for grabs',
  'beginner friendly',
  'documentation',
  'performance',
  'security',
];

/** Words that mean nothing for the choice of repositories. */
const STOP_WORDS = new Set(
  (
    'a about across all an and any are as at be but by can could do every everything find first for from get good ' +
    'have help hour how i if in into is it its look max me minute mode most my need needed new of on only or our please ' +
    'repo repository see show so some take task than that the their them then these they thing this to try up want ' +
    'wanted we what where which with work working would you your change changed code explore validate verify check ' +
    'issue opportunity project package library day at least upstream downstream consumer dependent'
  ).split(' '),
);

const BUG_WORDS = new Set([
  'bug',
  'bugfix',
  'fix',
  'failing',
  'fail',
  'broken',
  'break',
  'crash',
  'regression',
  'error',
]);
const FEATURE_WORDS = new Set(['feature', 'enhancement', 'add', 'implement', 'support']);
const TEST_WORDS = new Set(['test', 'testing', 'spec']);
const DIFFICULTIES: Readonly<Record<string, Difficulty>> = {
  easy: 'easy',
  simple: 'easy',
  beginner: 'easy',
  medium: 'medium',
  moderate: 'medium',
  hard: 'hard',
  difficult: 'hard',
};
const EASY_LABELS = new Set(['good-first-issue', 'beginner-friendly', 'up-for-grabs']);

/**
 * Reads a sentence in English by its words: issues (`owner/repository#12`, or their address), labels, what kind of work,
 * how long, how many repositories. `known` are further labels. Throws `InvalidInput` for an empty or very long one.
 */
export function readSentence(sentence: string, known: readonly string[] = []): SentenceParts {
  if (sentence.trim() === '') throw new LonghaulError('InvalidInput', 'Say what you want to work on.');
  if (sentence.length > LONGEST) {
    throw new LonghaulError('InvalidInput', `The sentence has more than ${LONGEST} characters: say it shorter.`);
  }
  const issues: NamedIssue[] = [];
  const note = (repository: string, number: string): string => {
    if (!issues.some((one) => one.repository === repository && one.number === Number(number))) {
      issues.push({ repository, number: Number(number) });
    }
    return ' ';
  };
  const plain = sentence
    .replaceAll(
      /https?:\/\/[^/\s]+\/([^\s?#]{3,200}?)(?:\/-)?\/(?:issues|pull|pulls|merge_requests)\/(\d{1,9})\b\S*/g,
      (_all, repository: string, number: string) => note(repository, number),
    )
    .replaceAll(/([\w.-]+(?:\/[\w.-]+){0,3})#(\d{1,9})\b/g, (_all, repository: string, number: string) =>
      note(repository, number),
    );
  const { text, labels } = takeLabels(plain, [...USUAL_LABELS, ...known]);
  const { text: rest, constraints } = takeConstraints(text);
  const words = (rest.match(/[\p{L}\p{N}@_][\p{L}\p{N}@_./:#+-]*/gu) ?? []).map((word) => word.replace(/[./:-]+$/, ''));
  const folded = words.map((word) => singular(foldWord(word)));
  const has = (among: ReadonlySet<string>): boolean => folded.some((word) => among.has(word));
  const difficulty = folded.map((word) => DIFFICULTIES[word]).find((one) => one !== undefined);
  const isEasy = labels.some((label) => EASY_LABELS.has(foldWord(label)));
  const isNoise = (word: string): boolean =>
    STOP_WORDS.has(word) ||
    BUG_WORDS.has(word) ||
    FEATURE_WORDS.has(word) ||
    TEST_WORDS.has(word) ||
    Object.hasOwn(DIFFICULTIES, word) ||
    /^\d*$/.test(word);
  return {
    issues,
    labels,
    consumers: /\b(?:downstream|consumers?|dependents?)\b/i.test(plain),
    constraints: { ...constraints, max_difficulty: difficulty ?? (isEasy ? 'easy' : null) },
    preferences: {
      bug_vs_feature: has(BUG_WORDS) ? 'bug' : has(FEATURE_WORDS) ? 'feature' : null,
      needs_tests: has(TEST_WORDS) ? true : null,
    },
    words: words.filter((word, at) => !STOP_WORDS.has(foldWord(word)) && !isNoise(folded[at] ?? '')),
  };
}

/** The labels in a text, written with spaces or dashes, and the text without them. */
function takeLabels(text: string, known: readonly string[]): { readonly text: string; readonly labels: string[] } {
  const labels: string[] = [];
  let rest = text;
  // the longest first: a label may be a part of another one
  const wanted = [...new Set(known)].sort((a, b) => b.length - a.length);
  for (const label of wanted) {
    const parts = foldWord(label)
      .split('-')
      .filter((part) => part !== '');
    if (parts.length === 0) continue;
    const words = parts.map(escaped).join('[\\s_:/-]{1,3}');
    // a label of one word is said as such: `label:bug`; otherwise it is an ordinary word
    const before = parts.length > 1 ? '(?<![\\p{L}\\p{N}-])' : '\\blabel(?:s|led)?[:\\s]{1,3}["\'`]?';
    const found = rest.replaceAll(new RegExp(`${before}${words}s?(?![\\p{L}\\p{N}])["'\`]?`, 'giu'), ' ');
    if (found === rest) continue;
    labels.push(label);
    rest = found;
  }
  return { text: rest, labels };
}

function takeConstraints(text: string): { readonly text: string; readonly constraints: Intent['constraints'] } {
  let constraints = EMPTY_INTENT.constraints;
  const rest = text
    .replace(/\b(?:max(?:imum)?|at most|up to|in)\s+(\d{1,4})\s+repo(?:sitorie)?s?\b/i, (_all, count: string) => {
      constraints = { ...constraints, max_repos: Math.max(1, Number(count)) };
      return ' ';
    })
    .replace(
      /(?:\b(?:in|within|for|have)\s+)?\b([1-9]\d{0,4})\s?(m|min|minutes?|h|hours?|d|days?)\b/i,
      (_all, count: string, unit: string) => {
        constraints = { ...constraints, time_available: `${count}${unit.slice(0, 1).toLowerCase()}` };
        return ' ';
      },
    );
  return { text: rest, constraints };
}

function escaped(text: string): string {
  return text.replaceAll(/[+*?.^$|()[\]{}\\]/g, '\\$&');
}
