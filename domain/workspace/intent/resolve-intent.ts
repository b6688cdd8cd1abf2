import { compareTexts } from '../canonical-snapshot.ts';
import type { Estate, EstateRepo } from './estate.ts';
import type { ChosenRepo, Effort, Intent, ResolvedIntent } from './intent.ts';
import { namedLanguage, matchRepos, matchWord } from './match-repos.ts';
import { readSentence } from './sentence.ts';
import { foldWord } from './words.ts';

/**
 * What a sentence, or an intent, or both mean in a workspace: which repositories and why, which skills are needed, and
 * how much work it is. Only words are compared, with the names, packages, languages and topics that are there; equal
 * arguments have equal results. What a sentence says counts more than the intent. Throws `InvalidInput` for an empty
 * sentence.
 */
export function resolveIntent(sentence: string | null, given: Intent, estate: Estate): ResolvedIntent {
  const said = sentence === null ? null : readSentence(sentence, estate.labels);
  const words = distinct([...(said?.words ?? []), ...given.capabilities]);
  const constraints = overlaid(given.constraints, said?.constraints);
  const preferences = overlaid(given.preferences, said?.preferences);
  const questions: string[] = [];
  const issues = said?.issues ?? [];
  const consumers = said?.consumers ?? false;

  const named = issues.flatMap((issue): ChosenRepo[] => {
    const repo = estate.repos.find((one) => isCalled(one, issue.repository));
    if (repo !== undefined) return [{ name: repo.name, reasons: [`it has the issue #${issue.number}`] }];
    questions.push(`No repository of the workspace is ${issue.repository}: add it, or give owner/repository.`);
    return [];
  });
  const matched = matchRepos(words, estate.repos);
  const unknown = words.filter(
    (word) => namedLanguage(word) === null && !estate.repos.some((repo) => matchWord(word, repo) !== null),
  );
  for (const word of unknown) questions.push(`"${word}" is no repository, package, language or topic here.`);
  const about = matched.map(({ repo, matches }) => ({ name: repo.name, reasons: matches.map(({ reason }) => reason) }));
  // an issue is about one repository; the words around it describe the issue
  let repos = merged(issues.length > 0 ? named : about);
  if (consumers) {
    const bases =
      repos.length > 0
        ? repos
        : estate.repos.filter(({ isChanged }) => isChanged).map(({ name }) => ({ name, reasons: ['it has changes'] }));
    if (bases.length === 0) questions.push('No repository is named, and none has changes: name the one that changes.');
    repos = withConsumers(bases, estate);
  } else if (repos.length === 0 && issues.length === 0 && words.length === unknown.length) {
    questions.push('Nothing here says which repositories are meant: name one, a package, or a language.');
  }
  const most = constraints.max_repos ?? repos.length;
  if (repos.length > most)
    questions.push(`${repos.length} repositories match, and ${most} are wanted: the first ones.`);
  const chosen = repos.slice(0, most);
  const chosenRepos = chosen.flatMap(({ name }) => estate.repos.find((one) => one.name === name) ?? []);
  const meant = words.filter((word) => !unknown.includes(word)).map((word) => namedLanguage(word) ?? foldWord(word));
  return {
    intent: {
      capabilities: distinct([...languagesOf(chosenRepos), ...meant]),
      constraints,
      preferences,
    },
    repos: chosen,
    issues,
    labels: said?.labels ?? [],
    consumers,
    skills_needed: skillsFor(chosenRepos, estate),
    effort: effortOf(chosen.length, { issues: issues.length, consumers, constraints }),
    workspace: 'generated',
    open_questions: questions,
  };
}

/** The values that are set in the second one, else those of the first. */
function overlaid<Value extends object>(base: Value, over: Value | undefined): Value {
  const set = Object.entries(over ?? {}).filter(([, value]) => value !== null);
  return { ...base, ...Object.fromEntries(set) };
}

/** True when a repository has this name, or an `owner/repository` that ends with it. */
function isCalled({ name, slug }: EstateRepo, called: string): boolean {
  const wanted = called.toLowerCase();
  const known = slug?.toLowerCase() ?? null;
  if (known === wanted || known?.endsWith(`/${wanted}`)) return true;
  return wanted.includes('/')
    ? known === null && name.toLowerCase() === lastPart(wanted)
    : foldWord(name) === foldWord(called);
}

/** The repositories with everything that needs them, each after those that it needs. */
function withConsumers(bases: readonly ChosenRepo[], { topology }: Estate): ChosenRepo[] {
  const reasons = new Map(bases.map(({ name, reasons: own }) => [name, own]));
  for (const { name } of bases) {
    const direct = new Set(topology.consumers[name] ?? []);
    for (const dependent of topology.transitive_dependents[name] ?? []) {
      const reason = direct.has(dependent) ? `it needs ${name}` : `it needs ${name} through others`;
      if (!bases.some((base) => base.name === dependent)) {
        reasons.set(dependent, [...(reasons.get(dependent) ?? []), reason]);
      }
    }
  }
  return topology.topological_order.flatMap((name) => {
    const why = reasons.get(name);
    return why === undefined ? [] : [{ name, reasons: why }];
  });
}

/** Languages of the repositories, their own names, and those of the workspace's packages that they need. */
function skillsFor(repos: readonly EstateRepo[], { repos: all, topology }: Estate): string[] {
  const needed = repos.flatMap(({ name }) => topology.providers[name] ?? []).sort(compareTexts);
  const own = repos.filter(({ name }) => all.some((other) => (topology.providers[other.name] ?? []).includes(name)));
  return distinct([...languagesOf(repos), ...own.map(({ name }) => name), ...needed]);
}

function effortOf(
  count: number,
  { issues, consumers, constraints }: { issues: number; consumers: boolean; constraints: Intent['constraints'] },
): Effort {
  if (consumers) return { size: 'large', why: `${count} repositories are validated` };
  if (count > 3) return { size: 'large', why: `it is about ${count} repositories` };
  if (constraints.max_difficulty === 'easy') return { size: 'small', why: 'only easy work is wanted' };
  if (issues === 1 && count <= 1) return { size: 'small', why: 'it is one issue of one repository' };
  return { size: 'medium', why: count === 1 ? 'it is about one repository' : `it is about ${count} repositories` };
}

function languagesOf(repos: readonly EstateRepo[]): string[] {
  return distinct(repos.flatMap(({ languages }) => languages)).sort(compareTexts);
}

function merged(chosen: readonly ChosenRepo[]): ChosenRepo[] {
  const reasons = new Map<string, string[]>();
  for (const { name, reasons: why } of chosen) reasons.set(name, distinct([...(reasons.get(name) ?? []), ...why]));
  return [...reasons].map(([name, why]) => ({ name, reasons: why }));
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
