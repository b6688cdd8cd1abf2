import type { ModelSettings } from '../../shared/model.ts';
import { ndcgAt10, RANKS } from '../search/ndcg.ts';

/**
 * The settings, in addition to git, that determine an index. They contain no secrets and no local paths: they are
 * stored with the objects.
 */
export interface BuildSettings {
  readonly model: ModelSettings;
  /** Digest of the embedding model: queries must use the same model. */
  readonly modelDigest: string;
  readonly maxFileBytes: number;
}

/** One complete index in Weaviate; several can exist in parallel. */
export interface Build {
  /** Identifies everything that its objects depend on in addition to git, 16 hex digits. */
  readonly digest: string;
  /** `live`: searches and syncs use it; `previous`: the live build before, for a rollback; `beside`: neither. */
  readonly role: 'live' | 'previous' | 'beside';
  readonly settings: BuildSettings;
}

/** A stored query for comparing builds. */
export interface StoredQuery {
  readonly query: string;
  /** Only repositories that match this mgit pattern. */
  readonly repo?: string;
  /** The files that answer it: paths, or `repository id:path`. Without them only the difference is reported. */
  readonly expect?: readonly string[];
}

/** Compares the answers of two builds to the same queries. */
export interface BuildComparison {
  readonly queries: number;
  /** Number of queries with expected files. */
  readonly judged: number;
  /** Mean file-level NDCG@10 over the judged queries; null without any. */
  readonly ndcgBefore: number | null;
  readonly ndcgAfter: number | null;
  /** Share of the first ten files that both builds returned, mean over all queries, 0 to 1. */
  readonly overlap: number;
  /** The queries with the largest loss, at most {@link WORST_KEPT}. */
  readonly worst: readonly { readonly query: string; readonly before: number; readonly after: number }[];
}

/** How many queries a {@link BuildComparison} lists as worse. */
export const WORST_KEPT = 10;

/** How much NDCG@10 a new build may lose without a person's consent: smaller differences are noise. */
export const NDCG_TOLERANCE = 0.02;

/** A file that a search found. */
export interface FoundFile {
  readonly repo: string;
  readonly path: string;
}

/** The answers of two builds to one query. */
export interface QueryAnswers {
  readonly query: StoredQuery;
  readonly before: readonly FoundFile[];
  readonly after: readonly FoundFile[];
}

/** Summarizes the answers of two builds. */
export function compareAnswers(answers: readonly QueryAnswers[]): BuildComparison {
  const judged = answers.flatMap(({ query: { query, expect }, before, after }) =>
    expect === undefined || expect.length === 0
      ? []
      : [{ query, before: ndcgOf(before, expect), after: ndcgOf(after, expect) }],
  );
  return {
    queries: answers.length,
    judged: judged.length,
    ndcgBefore: mean(judged.map(({ before }) => before)),
    ndcgAfter: mean(judged.map(({ after }) => after)),
    overlap: mean(answers.map(({ before, after }) => overlapAt10(before, after))) ?? 1,
    worst: judged
      .filter(({ before, after }) => after < before)
      .sort((a, b) => a.after - a.before - (b.after - b.before))
      .slice(0, WORST_KEPT),
  };
}

/** True when the judged queries give no reason to keep the old build. */
export function isNoWorse({ ndcgBefore, ndcgAfter }: BuildComparison): boolean {
  return ndcgBefore === null || ndcgAfter === null || ndcgAfter >= ndcgBefore - NDCG_TOLERANCE;
}

/**
 * NDCG@10 with equal weight for every expected file; an expected file may name its repository. A file counts at its
 * first position.
 */
function ndcgOf(found: readonly FoundFile[], expected: readonly string[]): number {
  const remaining = new Set(expected);
  const judged = [...remaining].map(() => 1);
  const gains = firstTen(found).map(({ repo, path }) =>
    [path, `${repo}:${path}`].some((name) => remaining.delete(name)) ? 1 : 0,
  );
  return ndcgAt10(gains, judged);
}

function firstTen(found: readonly FoundFile[]): FoundFile[] {
  return [...new Map(found.map((file) => [keyOf(file), file])).values()].slice(0, RANKS);
}

function overlapAt10(before: readonly FoundFile[], after: readonly FoundFile[]): number {
  const old = new Set(firstTen(before).map(keyOf));
  const now = firstTen(after).map(keyOf);
  const most = Math.max(old.size, now.length);
  return most === 0 ? 1 : now.filter((key) => old.has(key)).length / most;
}

function keyOf({ repo, path }: FoundFile): string {
  return `${repo}:${path}`;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
