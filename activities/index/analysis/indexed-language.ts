import { distance } from 'fastest-levenshtein';
import type { Collection } from 'weaviate-client';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { Reused } from '../../shared/reused.ts';
import type { ChunkProperties } from '../store/schema.ts';

/** More than linguist has. */
const MOST_LANGUAGES = 2_000;
const NEAR = 3;

/** The languages that an index has files in. */
export async function readLanguages(chunks: Collection<ChunkProperties>): Promise<readonly string[]> {
  const groups = await chunks.aggregate.groupBy.overAll({ groupBy: { property: 'language', limit: MOST_LANGUAGES } });
  return groups.flatMap(({ groupedBy: { value } }) => (typeof value === 'string' && value !== '' ? [value] : []));
}

/**
 * The language as spelled in the index: given in any case, or as one of linguist's short names (`ts`, `golang`). Throws
 * `InvalidInput` with suggestions when the index, read anew, has no file in it.
 */
export async function indexedLanguage(languages: Reused<readonly string[]>, asked: string): Promise<string> {
  const known = await spelledAs(await languages.get(), asked);
  if (known.spelled !== undefined) return known.spelled;
  languages.forget();
  const present = await languages.get();
  const { spelled, meant } = await spelledAs(present, asked);
  if (spelled !== undefined) return spelled;
  const requested = asked.trim().toLowerCase();
  const near = present
    .map((name) => ({ name, far: distance(name.toLowerCase(), requested) }))
    .filter(({ name, far }) => far <= NEAR && far < name.length)
    .sort((a, b) => a.far - b.far)
    .map(({ name }) => name);
  const hint = near.length > 0 ? `did you mean ${near.slice(0, 3).join(' or ')}?` : `there is ${listed(present)}.`;
  throw new LonghaulError('InvalidInput', `Nothing in the index is written in ${meant ?? asked}: ${hint}`);
}

/** One of these languages, if it is the requested one; and what its short name means. */
async function spelledAs(
  present: readonly string[],
  asked: string,
): Promise<{ readonly spelled?: string; readonly meant?: string }> {
  const requested = asked.trim().toLowerCase();
  const exact = present.find((name) => name.toLowerCase() === requested);
  if (exact !== undefined) return { spelled: exact };
  // slow to load, so it is loaded only here
  const { languageOfAlias } = await import('./language-alias.ts');
  const meant = languageOfAlias(requested);
  if (meant === undefined) return {};
  return present.includes(meant) ? { spelled: meant, meant } : { meant };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing in it' : names.toSorted().join(', ');
}
