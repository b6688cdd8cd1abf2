import type { OpenItem, OpenWork } from '../../forge/open-work.ts';
import { compareTexts, inKeyOrder } from '../canonical-snapshot.ts';
import { estateFacts, estateOf, type EstateRepo } from '../intent/estate.ts';
import type { ResolvedIntent } from '../intent/intent.ts';
import { namedLanguage } from '../intent/match-repos.ts';
import { foldWord, isSameStem, singular } from '../intent/words.ts';
import type { SnapshotContent } from '../workspace-snapshot.ts';
import { categorize } from './category.ts';
import type { Opportunity, OpportunityEdge, OpportunityGraph, OpportunityNode } from './opportunity.ts';
import type { ValidationRecords } from '../validation-record.schema.ts';
import { checkoutReadiness } from './readiness.ts';
import { scoreOf } from './score.ts';

/** What opportunities are found in. */
export interface OpportunitySources {
  readonly snapshot: SnapshotContent;
  /** What is open, by name of repository. */
  readonly work: ReadonlyMap<string, OpenWork>;
  /** What is wanted. Issues of other repositories are left out, unless it chooses none. */
  readonly resolved: ResolvedIntent;
  /** What the person can do: languages, packages, topics; null when it is not said. */
  readonly skills: readonly string[] | null;
  /** What runs of tests have said: see {@link WorkspaceReadiness}. */
  readonly validations: ValidationRecords;
  /** ISO 8601. */
  readonly now: string;
}

const WEEK_MS = 7 * 86_400_000;

/** The open issues of a workspace as opportunities, and how they are connected. Equal arguments have equal results. */
export function opportunityGraph({
  snapshot,
  work,
  resolved,
  skills,
  validations,
  now,
}: OpportunitySources): OpportunityGraph {
  const { intent, repos: chosen, issues: named, labels } = resolved;
  const { repos, topology } = estateOf(snapshot, estateFacts(work));
  const isChosen = (repo: EstateRepo): boolean => chosen.length === 0 || chosen.some(({ name }) => name === repo.name);
  const vocabulary = vocabularyOf(repos);
  const wanted = repos.filter(isChosen).sort((a, b) => compareTexts(a.name, b.name));
  const nodes = new Map<string, OpportunityNode>();
  const edges: OpportunityEdge[] = [];
  const add = (node: OpportunityNode): string => {
    nodes.set(node.id, node);
    return node.id;
  };
  const opportunities: Opportunity[] = [];
  const placed: { readonly id: string; readonly item: OpenItem }[] = [];
  for (const repo of wanted) {
    const at = add({ id: `repo:${repo.name}`, kind: 'repo', label: repo.name });
    const slug = repo.slug ?? repo.name;
    const items = work.get(repo.name)?.items ?? [];
    const pulls = items.filter(({ kind }) => kind === 'pull');
    const known = items.filter(
      ({ kind, number }) =>
        kind === 'issue' &&
        (named.length === 0 || named.some((one) => one.number === number && isIn(one.repository, repo))),
    );
    for (const pull of pulls) {
      const id = add({ id: `pr:${slug}#${pull.number}`, kind: 'pr', label: pull.title });
      edges.push({ from: id, to: at, kind: 'belongs' });
      placed.push({ id, item: pull });
    }
    const claimed = claimsOf(pulls, slug);
    const readiness = checkoutReadiness(repo.name, snapshot, validations);
    for (const item of known) {
      const id = add({ id: `issue:${slug}#${item.number}`, kind: 'issue', label: item.title });
      edges.push({ from: id, to: at, kind: 'belongs' });
      placed.push({ id, item });
      const claims = claimed.get(item.number) ?? [];
      for (const { number } of claims) edges.push({ from: `pr:${slug}#${number}`, to: id, kind: 'addresses' });
      const required = requiredBy(item, repo, vocabulary);
      for (const word of required) {
        edges.push({ from: id, to: add({ id: `capability:${word}`, kind: 'capability', label: word }), kind: 'skill' });
      }
      const lacks = skills === null ? null : required.filter((word) => !isKnown(word, skills));
      const issue = { item, claims, intent, labels, lacks, now };
      opportunities.push({
        id: `${slug}#${item.number}`,
        repo: repo.name,
        issue: { number: item.number, title: item.title, author: item.author, labels: item.labels, url: item.url },
        score: scoreOf(issue),
        ...categorize(issue, { slug, repo: repo.name }),
        required_capabilities: required,
        workspace_readiness: readiness,
      });
    }
  }
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of names) {
    for (const provider of topology.providers[name] ?? []) {
      if (names.has(provider)) edges.push({ from: `repo:${name}`, to: `repo:${provider}`, kind: 'dependency' });
    }
  }
  edges.push(...authorEdges(placed));
  return {
    opportunities: opportunities.sort((a, b) => b.score.total - a.score.total || compareTexts(a.id, b.id)),
    nodes: inKeyOrder([...nodes.values()], ({ id }) => [id]),
    edges: inKeyOrder(edges, ({ kind, from, to }) => [kind, from, to]),
  };
}

/**
 * Joins the issues and pull requests of an author as a chain in the order of their times, and issues that were opened
 * within a week of each other. A chain, since an author with a thousand issues would have half a million pairs.
 */
function authorEdges(placed: readonly { readonly id: string; readonly item: OpenItem }[]): OpportunityEdge[] {
  const byAuthor = new Map<string, { readonly id: string; readonly item: OpenItem }[]>();
  for (const one of placed) {
    if (one.item.author === '') continue;
    const own = byAuthor.get(one.item.author) ?? [];
    own.push(one);
    byAuthor.set(one.item.author, own);
  }
  return [...byAuthor.values()].flatMap((own) => {
    const sorted = inKeyOrder(own, ({ item, id }) => [new Date(item.createdAt).toISOString(), id]);
    const issues = sorted.filter(({ item }) => item.kind === 'issue');
    return [
      ...pairs(sorted).map(([a, b]) => ({ from: a.id, to: b.id, kind: 'author' as const })),
      ...pairs(issues)
        .filter(([a, b]) => Date.parse(b.item.createdAt) - Date.parse(a.item.createdAt) <= WEEK_MS)
        .map(([a, b]) => ({ from: a.id, to: b.id, kind: 'temporal' as const })),
    ];
  });
}

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.slice(1).map((item, at) => [items[at] as Item, item]);
}

/** The pull requests that say they close an issue, by its number. */
function claimsOf(pulls: readonly OpenItem[], slug: string): ReadonlyMap<number, readonly OpenItem[]> {
  const claims = new Map<number, OpenItem[]>();
  for (const pull of pulls) {
    for (const number of new Set(closes(pull, slug))) claims.set(number, [...(claims.get(number) ?? []), pull]);
  }
  return claims;
}

/** The numbers of the issues of its repository that a pull request says it closes. */
function closes({ title, body }: OpenItem, slug: string): number[] {
  const words = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|implement(?:s|ed)?)\b:?\s{1,3}(\S{1,300})/gi;
  return [...`${title}\n${body}`.matchAll(words)].flatMap(([, target = '']) => {
    const [, number] = /^#(\d{1,9})\b/.exec(target) ?? [];
    if (number !== undefined) return [Number(number)];
    // also of this repository by its name, or by an address
    const [, place, other] = /^(?:https?:\/\/[^/]+\/)?([^\s#]+?)(?:#|(?:\/-)?\/issues\/)(\d{1,9})\b/.exec(target) ?? [];
    return place?.toLowerCase() === slug.toLowerCase() ? [Number(other)] : [];
  });
}

/** The words of topics and names of repositories, as they are compared, each with what it stands for. */
function vocabularyOf(repos: readonly EstateRepo[]): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, Set<string>>();
  for (const { name, topics } of repos) {
    for (const word of [...topics, foldWord(name)]) {
      words.set(singular(word), (words.get(singular(word)) ?? new Set()).add(word));
    }
  }
  return new Map([...words].map(([word, set]) => [word, [...set].sort(compareTexts)]));
}

/** What an issue requires: the languages of its repository, and what its labels or title name of the workspace. */
function requiredBy(
  { labels, title }: OpenItem,
  repo: EstateRepo,
  vocabulary: ReadonlyMap<string, readonly string[]>,
): string[] {
  const words = new Set([title, ...labels].flatMap((text) => foldWord(text).split('-')).map(singular));
  const own = foldWord(repo.name);
  const named = [...words].flatMap((word) => vocabulary.get(word) ?? []).filter((word) => word !== own);
  return [...new Set([...repo.languages, ...named.sort(compareTexts)])];
}

/** True for a capability that is among the skills, a language also by its other names. */
function isKnown(word: string, skills: readonly string[]): boolean {
  return skills.some((skill) => namedLanguage(skill) === word || isSameStem(singular(foldWord(skill)), singular(word)));
}

function isIn(called: string, { name, slug }: EstateRepo): boolean {
  const wanted = called.toLowerCase();
  const known = slug?.toLowerCase() ?? name.toLowerCase();
  return known === wanted || known.endsWith(`/${wanted}`) || foldWord(name) === foldWord(called);
}
