import type { Opportunity } from './opportunity.ts';
import { hasReproduction, isBlocked, isEasy, isUnclear, isUnwanted, type ScoredIssue } from './score.ts';

/** Where an issue is. */
export interface IssuePlace {
  /** `owner/repository`. */
  readonly slug: string;
  /** The name of the repository in the workspace. */
  readonly repo: string;
}

/**
 * The category of an issue, why, and what to do next, by the first rule that holds: it is claimed by an open pull
 * request or an assignee; it waits; it requires skills that are lacking; it is clear (it has a reproduction, or its
 * maintainers call it easy, and they do not ask about it); it has to be investigated.
 */
export function categorize(
  issue: ScoredIssue,
  { slug, repo }: IssuePlace,
): Pick<Opportunity, 'category' | 'why' | 'action'> {
  const { item, claims, lacks } = issue;
  const [claim] = claims;
  const id = `${slug}#${item.number}`;
  if (claim !== undefined) {
    const why = `the pull request #${claim.number} of ${claim.author || 'an account that is gone'} is open`;
    return { category: 'claimed', why, action: `review ${claim.url}, or skip it` };
  }
  const [assignee] = item.assignees;
  if (assignee !== undefined) {
    return { category: 'claimed', why: `${assignee} works on it`, action: `ask in ${item.url}, or skip it` };
  }
  if (isUnwanted(issue)) {
    return { category: 'blocked', why: 'its maintainers do not want it', action: 'skip it' };
  }
  if (isBlocked(issue)) {
    const why = 'it waits for its maintainers, a decision, or something upstream';
    return { category: 'blocked', why, action: `defer it, and look again at ${item.url}` };
  }
  if (lacks !== null && lacks.length > 0) {
    const why = `it requires ${lacks.join(', ')}`;
    return { category: 'needs_skills', why, action: `learn ${lacks.join(', ')} first, or skip it` };
  }
  const isClear = hasReproduction(issue) || isEasy(issue);
  if (isClear && !isUnclear(issue)) {
    const why = hasReproduction(issue) ? 'it says how to see it' : 'its maintainers call it easy';
    return { category: 'ready_for_pr', why, action: `longhaul workspace discover ${id}` };
  }
  const why = isUnclear(issue) ? 'its maintainers ask for more' : 'it does not say how to see it';
  return { category: 'needs_investigation', why, action: `longhaul workspace discover ${id}, and look into ${repo}` };
}
