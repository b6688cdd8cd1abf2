import type { HotfixState } from './hotfix-steps.ts';

/** True when the gate of hotfixes is open for it, or it is released already. */
export function isHotfixReady({ isPromoted, evolutions }: Pick<HotfixState, 'isPromoted' | 'evolutions'>): boolean {
  const has = (status: string): boolean => evolutions.some((each) => each.status === status);
  return isPromoted || (has('pass') && !has('pending') && !has('running'));
}

/** What people do next for a hotfix that is not proven, a line each. */
export function nextForHotfix({
  version,
  branch,
  issue,
  evolutions,
}: Pick<HotfixState, 'version' | 'branch' | 'issue' | 'evolutions'>): readonly string[] {
  const pending = evolutions.filter(({ status }) => status === 'pending' || status === 'running');
  const last = evolutions.at(-1);
  return [
    `waits for the fix on the branch ${branch}: git fetch origin && git switch ${branch}`,
    pending.length > 0
      ? `commit it with [${issue}] in its message, and run the pipeline: it proves ${pending.map(({ tag }) => tag).join(', ')}`
      : `${last === undefined ? 'no evolution was started' : `${last.tag}: ${last.status}`}; next: longhaul evolution start ${version} --change ${issue}`,
  ];
}
