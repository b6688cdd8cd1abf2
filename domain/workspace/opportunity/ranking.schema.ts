import { z } from 'zod';
import { check, describeIssue } from '../../shared/check.schema.ts';
import { foldWord } from '../intent/words.ts';
import type { Opportunity } from './opportunity.ts';

const LONGEST_NOTE = 200;
/** A note that repeats as many words of a title in a row may have been dictated by it. */
const REPEATED_WORDS = 5;

const schema = z.strictObject({
  ranking: z
    .array(z.strictObject({ id: z.string().max(500), note: z.string().max(LONGEST_NOTE).optional() }))
    .max(100_000),
});

/** Opportunities in another order, with notes. */
export interface RankedOpportunities {
  readonly opportunities: readonly (Opportunity & {
    /** What the ranking says about it; missing when nothing. */
    readonly note?: string;
  })[];
  /** Why the ranking was refused, as one sentence; null when it was used. */
  readonly refused: string | null;
}

/**
 * Applies the ranking of a model or program, `{"ranking": [{"id": "owner/repository#1", "note": "why"}]}`. It may put
 * opportunities of a category in another order, and say something about each. Titles of issues are written by others and
 * may tell a model what to answer, so anything else is refused as a whole, and the order stays: an opportunity that is
 * missing, unknown or given twice, a score, a category, one that passes another category, and a note with an address, a
 * command or a piece of a title.
 */
export function applyRanking(opportunities: readonly Opportunity[], answer: unknown): RankedOpportunities {
  const refuse = (why: string): RankedOpportunities => ({
    opportunities,
    refused: `The ranking was refused, and the order stays: ${why}.`,
  });
  const { data, error } = check(schema, answer);
  if (error !== undefined) return refuse(describeIssue(error));
  const known = new Map(opportunities.map((one) => [one.id, one]));
  const ranked: RankedOpportunities['opportunities'][number][] = [];
  const seen = new Set<string>();
  for (const { id, note } of data.ranking) {
    const found = known.get(id);
    if (found === undefined) return refuse('it has an opportunity that does not exist');
    if (seen.has(id)) return refuse(`it has ${id} twice`);
    seen.add(id);
    const wrong = note === undefined ? null : wrongWith(note, opportunities);
    if (wrong !== null) return refuse(`its note about ${id} ${wrong}`);
    ranked.push(note === undefined || note === '' ? found : { ...found, note });
  }
  if (ranked.length < opportunities.length) {
    return refuse(`it has ${ranked.length} of ${opportunities.length} opportunities`);
  }
  for (const [at, { category }] of opportunities.entries()) {
    const other = ranked[at];
    if (other !== undefined && other.category !== category) {
      return refuse(`it moves ${other.id} past opportunities of another category`);
    }
  }
  return { opportunities: ranked, refused: null };
}

/** What is wrong with a note; null when nothing. */
function wrongWith(note: string, opportunities: readonly Opportunity[]): string | null {
  if (/\p{C}/u.test(note)) return 'has control characters';
  if (/:\/\/|www\.|\w\.\w{2,}\/|@/.test(note)) return 'has an address';
  if (/[`$|;<>\\]|&&|\b(?:curl|wget|sudo|npm|npx|pip|git|bash|sh|rm|ssh|chmod|eval)\s/i.test(note))
    return 'has a command';
  const said = ` ${wordsOf(note).join(' ')} `;
  for (const { issue } of opportunities) {
    const words = wordsOf(issue.title);
    for (let at = 0; at + REPEATED_WORDS <= words.length; at++) {
      if (said.includes(` ${words.slice(at, at + REPEATED_WORDS).join(' ')} `)) return `repeats a title`;
    }
  }
  return null;
}

function wordsOf(text: string): string[] {
  return text
    .split(/\s+/)
    .map(foldWord)
    .filter((word) => word !== '');
}
