import type { OpenItem, OpenWork } from '../forge/open-work.ts';
import type { AnyJson } from './any-json.ts';
import { compareTexts } from './canonical-snapshot.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';

/**
 * A snapshot with what forges say: under `github` the open issues and pull requests, whatever the kind of forge, and in
 * `prs` the pull requests of the account that asks. `work` is by name of repository.
 */
export function withOpenWork(content: SnapshotContent, work: ReadonlyMap<string, OpenWork>): SnapshotContent {
  const names = [...work.keys()].sort(compareTexts);
  const ofKind = (kind: OpenItem['kind'], isWanted: (item: OpenItem, account: string | null) => boolean): AnyJson[] =>
    names.flatMap((name) => {
      const { items = [], account = null } = work.get(name) ?? {};
      return items
        .filter((item) => item.kind === kind && isWanted(item, account))
        .sort((a, b) => a.number - b.number)
        .map((item) => jsonOf(name, item));
    });
  return {
    ...content,
    github: { issues: ofKind('issue', () => true), prs: ofKind('pull', () => true) },
    prs: ofKind('pull', ({ author }, account) => account !== null && author === account),
  };
}

function jsonOf(repo: string, item: OpenItem): AnyJson {
  const { number, title, author, assignees, labels, comments, isDraft, createdAt, updatedAt, url } = item;
  return {
    repo,
    number,
    title,
    author,
    assignees: [...assignees].sort(compareTexts),
    labels: [...labels].sort(compareTexts),
    comments,
    draft: isDraft,
    created_at: createdAt,
    updated_at: updatedAt,
    url,
  };
}
