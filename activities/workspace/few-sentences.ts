import { redact } from '../../domain/shared/redact.ts';

/** The most sentences about one thing in a history: its payloads have a limit of 2 MB. */
const MOST = 50;
/** The most sentences about all repositories that a person is asked about. */
const MOST_IN_ALL = 1_000;
/** Characters of a sentence that are kept. */
const LONGEST = 500;

/** Sentences for a history: without secrets, the first 50 (`most`), each cut at 500 characters, and how many more there are. */
export function fewSentences(said: readonly string[], most = MOST): readonly string[] {
  const few = said.slice(0, most).map((each) => shortened(redact(each)));
  const more = said.length - few.length;
  return more <= 0 ? few : [...few, `and ${more} more`];
}

/** The same for what each of these would lose: all of them stay, because each is a question, and has fewer sentences. */
export function fewSentencesEach<Item extends { readonly work: readonly string[] }>(
  items: readonly Item[],
): readonly Item[] {
  const most = Math.max(1, Math.min(MOST, Math.floor(MOST_IN_ALL / Math.max(1, items.length))));
  return items.map((item) => ({ ...item, work: fewSentences(item.work, most) }));
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
