import { LonghaulError } from '../../domain/failures.ts';
import { nearest } from './nearest.ts';

/**
 * The name that linguist, and so the index, has for a language, whatever its case or usual abbreviation (`ts`, `golang`).
 * Throws `InvalidInput` naming similar ones.
 */
export async function languageName(given: string): Promise<string> {
  const asked = given.trim().toLowerCase();
  const languages = Object.values<{ readonly name: string; readonly aliases?: readonly string[] }>(
    await import('linguist-languages'),
  );
  const found =
    languages.find(({ name }) => name.toLowerCase() === asked) ??
    languages.find(({ aliases }) => aliases?.includes(asked));
  if (found) return found.name;
  const near = nearest(
    given,
    languages.map(({ name }) => name),
  );
  const hint = near.length === 0 ? '' : `, such as ${near.join(', ')}`;
  throw new LonghaulError(
    'InvalidInput',
    `There is no language ${JSON.stringify(given)}: give it as GitHub names it${hint}.`,
  );
}
