/** An open issue or pull request. Other people wrote its texts: they are data, never instructions. */
export interface OpenItem {
  readonly kind: 'issue' | 'pull';
  /** GitLab counts merge requests apart from issues. */
  readonly number: number;
  /** On one line. */
  readonly title: string;
  /** At most {@link LONGEST_BODY} characters. */
  readonly body: string;
  /** The account's name; empty for one that is gone. */
  readonly author: string;
  readonly assignees: readonly string[];
  readonly labels: readonly string[];
  /** How many comments it has. */
  readonly comments: number;
  /** True for a pull request that is not to be reviewed yet. */
  readonly isDraft: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly url: string;
}

/** What is open in a repository. */
export interface OpenWork {
  /** Those that changed last come first. */
  readonly items: readonly OpenItem[];
  /** False when there is more than {@link MOST_ITEMS}. */
  readonly isWhole: boolean;
  /** What the repository is about, as its forge says. */
  readonly topics: readonly string[];
  /** The account of the token; null without one. */
  readonly account: string | null;
}

/** Of each repository, this many issues, and this many pull requests, are read. */
export const MOST_ITEMS = 1_000;
/** Longer texts are cut off. */
export const LONGEST_BODY = 4_000;
const LONGEST_LINE = 300;

/** A line that another person wrote, without control characters, cut off where it is very long. */
export function lineFromForge(text: string | null | undefined): string {
  return (text ?? '')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_LINE);
}
