import type { BuildComparison, StoredQuery } from '../index/build.ts';
import { markdownList, type MarkdownRow, markdownTable } from '../../shared/markdown.ts';
import type { RepositoryFailure } from '../../fleet/failure.ts';
import type { FlowProgress } from '../../shared/progress.ts';

/** Input of `reembedIndex`. */
export interface ReembedInput {
  /** Model of the new build, as `index.model` names it. @default the model of the live build */
  readonly model?: string;
  /** Questions to compare the new build with the live one, at most 500. @default none */
  readonly queries?: readonly StoredQuery[];
  /**
   * Switch to the new build without asking, if it has every repository and no judged query got worse. @default false
   */
  readonly yes?: boolean;
  /** Repositories indexed in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `fillBuild`. */
export interface FillInput {
  /** Digest of the build. */
  readonly build: string;
  /** Repositories indexed in parallel, 1 to 64. @default 8 */
  readonly parallel?: number;
}

/** Input of `switchIndex`. */
export interface SwitchInput {
  /** Digest of the build that becomes live, or `previous`: the one that was live before. */
  readonly to: string;
}

/** Input of `pruneIndex`. */
export interface PruneInput {
  /** Delete the previous build too, which a rollback would need. @default false */
  readonly previous?: boolean;
}

/** The status of a running `reembedIndex`. */
export interface ReembedStatus {
  readonly stage: 'beginning' | 'filling' | 'comparing' | 'waiting for confirmation' | 'switching' | 'done';
  /** Digest of the build that was live at the start; null when there was none. */
  readonly from: string | null;
  /** Digest of the new build. */
  readonly to: string | null;
  /** Workflow id of the run that fills it, whose own progress lists the repositories; null when none is running. */
  readonly filling: string | null;
  /** Number of repositories in the new build, and number of those that could not be indexed into it. */
  readonly repositories: number;
  readonly failed: number;
  readonly failures: readonly RepositoryFailure[];
  readonly objectsWritten: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  readonly comparison: BuildComparison | null;
}

/** Result of `reembedIndex`. */
export interface ReembedResult extends Omit<ReembedStatus, 'stage' | 'filling'> {
  /** False when a person declined the switch, or when the new build was already live. */
  readonly switched: boolean;
  readonly durationMs: number;
}

/** Result of `switchIndex`. */
export interface SwitchResult {
  /** Digest of the build that was live. */
  readonly from: string | null;
  /** Digest of the build that is live now. */
  readonly to: string;
  /** Repositories that only the old build had: the next sync indexes them into the new one. */
  readonly carried: number;
  /** Repositories that were no longer in the old build, and are now removed from the new one. */
  readonly removed: number;
}

/** Result of `pruneIndex`. */
export interface PruneResult {
  /** Digests of the builds that were deleted. */
  readonly dropped: readonly string[];
}

/** The question that a person is asked before searches switch to a new build. */
export const SWITCH_QUESTION = 'Switch to the new build?';

/** The state of a `reembedIndex` as markdown, for the details that the Temporal UI shows. */
export function describeReembed(progress: ReembedStatus): string {
  const { stage, from, to, comparison, repositories, failed, failures } = progress;
  const rows: MarkdownRow[] = [
    ['stage', stage],
    ['live build', from ?? 'none'],
    ['new build', to ?? 'none yet'],
    ['repositories in the new build', repositories],
    ['failed', failed],
    ...(comparison === null ? [] : comparisonRows(comparison)),
  ];
  const parts = [markdownTable(rows)];
  if (stage === 'waiting for confirmation') {
    parts.push(`${SWITCH_QUESTION}\n\nAnswer with the update \`confirm\`: \`{"proceed": true}\`.`);
  }
  if (failures.length > 0) {
    const shown = failures.slice(0, 20).map(({ repository, error }) => `${repository}: ${error.slice(0, 300)}`);
    parts.push(markdownList('Failed', shown, failed));
  }
  return parts.join('\n\n');
}

/** The progress of a `reembedIndex`. While a run fills the new build, that run's own progress says more. */
export function reembedProgress(status: ReembedStatus): FlowProgress {
  const { stage, filling, repositories, failed, objectsWritten } = status;
  return {
    stage,
    done: repositories,
    total: repositories + failed,
    unit: 'repositories',
    lines: [`${objectsWritten} objects`, ...(failed > 0 ? [`${failed} failed`] : [])],
    asks: stage === 'waiting for confirmation' ? { question: SWITCH_QUESTION, lines: switchFacts(status) } : null,
    ...(filling === null ? {} : { child: filling }),
  };
}

/** Facts for the decision to switch: the size of the new build, and the comparison. */
function switchFacts({ comparison, repositories, failed, failures }: ReembedStatus): string[] {
  const rows = comparison === null ? [['compared', 'nothing: no --queries']] : comparisonRows(comparison);
  return [
    ...[['repositories', `${repositories}, ${failed} failed`], ...rows].map(([name, value]) => `${name}: ${value}`),
    ...(comparison?.worst ?? []).map(
      ({ query, before, after }) => `worse: ${query} (${before.toFixed(2)} to ${after.toFixed(2)})`,
    ),
    ...failures.map(({ repository, error }) => `failed: ${repository}: ${error}`),
  ];
}

/** A comparison as rows of name and value. */
export function comparisonRows({
  queries,
  judged,
  ndcgBefore,
  ndcgAfter,
  overlap,
}: BuildComparison): [string, string][] {
  return [
    ['queries (judged)', `${queries} (${judged})`],
    ['NDCG@10 before / after', `${orDash(ndcgBefore)} / ${orDash(ndcgAfter)}`],
    ['same files among the first ten', `${Math.round(overlap * 100)} %`],
  ];
}

function orDash(value: number | null): string {
  return value === null ? '-' : value.toFixed(3);
}
