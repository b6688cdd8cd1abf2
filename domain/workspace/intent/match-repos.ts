import { compareTexts } from '../canonical-snapshot.ts';
import type { EstateRepo } from './estate.ts';
import { foldWord, isSameStem, singular } from './words.ts';

/** How a word is about a repository. */
export interface WordMatch {
  /** `name`: the word is the name of the repository or of its package. `area`: it is about something like it. */
  readonly kind: 'name' | 'area' | 'language';
  readonly weight: number;
  /** Part of a sentence. */
  readonly reason: string;
}

/** Other words for languages. */
const LANGUAGE_WORDS: Readonly<Record<string, string>> = {
  javascript: 'javascript',
  js: 'javascript',
  node: 'javascript',
  nodejs: 'javascript',
  typescript: 'javascript',
  ts: 'javascript',
  golang: 'go',
  rust: 'rust',
  python: 'python',
  py: 'python',
  elixir: 'elixir',
};

/** The language that a word names; null for none. `go` alone is a verb more often: it counts as `Go` or `golang`. */
export function namedLanguage(word: string): string | null {
  if (word === 'Go') return 'go';
  const folded = foldWord(word);
  return Object.hasOwn(LANGUAGE_WORDS, folded) ? (LANGUAGE_WORDS[folded] ?? null) : null;
}

/** The best match of a word with a repository; null for none. */
export function matchWord(word: string, repo: EstateRepo): WordMatch | null {
  const language = namedLanguage(word);
  if (language !== null) {
    if (!repo.languages.includes(language)) return null;
    return { kind: 'language', weight: 5, reason: `it is written in ${language}` };
  }
  const folded = foldWord(word);
  if (folded === '') return null;
  if (repo.slug !== null && word.includes('/') && foldWord(repo.slug) === folded) {
    return { kind: 'name', weight: 110, reason: `${word} is named` };
  }
  if (foldWord(repo.name) === folded) return { kind: 'name', weight: 100, reason: `${repo.name} is named` };
  const own = repo.packages.find((name) => foldWord(name) === folded || foldWord(lastPart(name)) === folded);
  if (own !== undefined) return { kind: 'name', weight: 90, reason: `it has the package ${own}` };
  const stem = singular(folded);
  const topic = repo.topics.find((each) => isSameStem(singular(each), stem));
  if (topic !== undefined) return { kind: 'area', weight: 40, reason: `its topic is ${topic}` };
  for (const [what, names] of [
    ['its name', [repo.name]],
    ['its package', repo.packages],
  ] as const) {
    const found = names.find((name) => segmentsOf(name).some((segment) => isSameStem(segment, stem)));
    if (found !== undefined) return { kind: 'area', weight: 30, reason: `${what} ${found} is about ${folded}` };
  }
  const needed = repo.needs.find((name) => segmentsOf(name).some((segment) => isSameStem(segment, stem)));
  if (needed !== undefined) return { kind: 'area', weight: 10, reason: `it needs ${needed}` };
  return null;
}

/** A repository with what words say about it. */
export interface MatchedRepo {
  readonly repo: EstateRepo;
  readonly matches: readonly WordMatch[];
}

/**
 * The repositories that words are about, the best first. A word that names repositories stands for these alone, unless
 * another word says what the work is about: `Ecto` is the repository, `Phoenix auth` an area that others belong to.
 * A language alone chooses its repositories; with other words it leaves out those of other languages.
 */
export function matchRepos(words: readonly string[], repos: readonly EstateRepo[]): readonly MatchedRepo[] {
  const found = words.map((word) => ({
    word,
    matches: repos.flatMap((repo) => {
      const match = matchWord(word, repo);
      return match === null ? [] : [{ repo, match }];
    }),
  }));
  const isName = ({ matches }: (typeof found)[number]): boolean => matches.some(({ match }) => match.kind === 'name');
  const isArea = found.some((one) => !isName(one) && one.matches.some(({ match }) => match.kind === 'area'));
  const chosen = new Map<string, { repo: EstateRepo; matches: WordMatch[] }>();
  const languages = new Map<string, WordMatch>();
  for (const one of found) {
    const isNaming = isName(one);
    for (const { repo, match } of one.matches) {
      if (match.kind === 'language') languages.set(repo.name, match);
      // who only needs what is named is meant with "consumers"
      else if (!isNaming || match.kind === 'name' || (isArea && match.weight > 10)) {
        const entry = chosen.get(repo.name) ?? { repo, matches: [] };
        entry.matches.push(match);
        chosen.set(repo.name, entry);
      }
    }
  }
  const hasLanguage = words.some((word) => namedLanguage(word) !== null);
  if (chosen.size === 0) {
    return inOrder(
      repos.flatMap((repo) => [{ repo, matches: [languages.get(repo.name) ?? []].flat() }]).filter(hasAny),
    );
  }
  return inOrder(
    [...chosen.values()]
      .filter(({ repo, matches }) => !hasLanguage || languages.has(repo.name) || matches.some(isNamed))
      .map(({ repo, matches }) => ({ repo, matches: [...matches, ...[languages.get(repo.name) ?? []].flat()] })),
  );
}

const hasAny = ({ matches }: MatchedRepo): boolean => matches.length > 0;
const isNamed = ({ kind }: WordMatch): boolean => kind === 'name';

function inOrder(found: readonly MatchedRepo[]): readonly MatchedRepo[] {
  const weight = ({ matches }: MatchedRepo): number => matches.reduce((sum, match) => sum + match.weight, 0);
  return [...found].sort((a, b) => weight(b) - weight(a) || compareTexts(a.repo.name, b.repo.name));
}

function segmentsOf(name: string): string[] {
  return foldWord(name).split('-').map(singular);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
