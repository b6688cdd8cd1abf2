/** The kinds of differences between the index and git, in report order. */
export const DIFFERENCES = ['missing', 'stale', 'foreign', 'altered', 'receipt', 'gone'] as const;

/**
 * - `missing`: an object that should exist according to git and is not in Weaviate.
 * - `stale`: an object of a file that is not in the receipt's tree, or beyond its last chunk; it names the receipt's
 *   ref.
 * - `foreign`: an object whose repository has no receipt, or whose id does not match its properties; a receipt whose
 *   provider is not configured.
 * - `altered`: an object with the right id whose text, property or vector differs from what the analyzer makes, or
 *   whose refs are wrong.
 * - `receipt`: a receipt that differs from git, or that a run left unfinished.
 * - `gone`: a repository that its provider no longer has, or a branch that the repository no longer has.
 */
export type DifferenceKind = (typeof DIFFERENCES)[number];

/** All differences of one kind. */
export interface Difference {
  readonly count: number;
  /** The first of them, as text: a path and what differs, the id of an object, a field of the receipt. */
  readonly sample: readonly string[];
}

/** The differences found, by kind. */
export type Differences = Readonly<Partial<Record<DifferenceKind, Difference>>>;

/** The result of verifying one repository. */
export interface RepositoryVerification {
  readonly repository: string;
  /**
   * `everything`: every object, its properties and its vector were compared with git and the analyzer. `counts`: only
   * number and XOR of the ids were compared with the receipt, because git is not available. `nothing`: there is nothing
   * to compare with.
   */
  readonly compared: 'everything' | 'counts' | 'nothing';
  readonly differences: Differences;
  /** True when no difference is left; false when one is, or was not to be repaired. */
  readonly isTrue: boolean;
  /** Why less was compared or repaired than requested; null otherwise. */
  readonly note: string | null;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  readonly durationMs: number;
}

/** The verification of many repositories: totals, and the first fifty that differed. */
export interface VerificationReport {
  /** Repositories with a difference. */
  readonly differing: number;
  /** Repositories of these that no longer differ, after a repair. */
  readonly mended: number;
  /** Objects, receipts and repositories that differed, by kind. */
  readonly differences: Readonly<Record<DifferenceKind, number>>;
  readonly repositories: readonly Pick<
    RepositoryVerification,
    'repository' | 'compared' | 'differences' | 'isTrue' | 'note'
  >[];
}

const VERIFICATIONS_KEPT = 50;
const SAMPLES_KEPT = 10;
/** samples in a report over many repositories, which is part of workflow histories */
const SAMPLES_REPORTED = 3;
const LONGEST_SAMPLE = 200;

/** An empty report. */
export const NOTHING_DIFFERS: VerificationReport = {
  differing: 0,
  mended: 0,
  differences: { missing: 0, stale: 0, foreign: 0, altered: 0, receipt: 0, gone: 0 },
  repositories: [],
};

/** The report with a further repository added. */
export function addVerification(report: VerificationReport, found: RepositoryVerification): VerificationReport {
  const { repository, compared, differences, isTrue, note } = found;
  if (isTrue && totalOf(differences) === 0) return report;
  const sums = { ...report.differences };
  for (const kind of DIFFERENCES) sums[kind] += differences[kind]?.count ?? 0;
  const shown = Object.fromEntries(
    Object.entries(differences).map(([kind, { count, sample }]) => [
      kind,
      { count, sample: sample.slice(0, SAMPLES_REPORTED) },
    ]),
  );
  return {
    differing: report.differing + 1,
    mended: report.mended + (isTrue ? 1 : 0),
    differences: sums,
    repositories: [...report.repositories, { repository, compared, differences: shown, isTrue, note }].slice(
      0,
      VERIFICATIONS_KEPT,
    ),
  };
}

/** The number of differences. */
export function totalOf(differences: Differences): number {
  return DIFFERENCES.reduce((sum, kind) => sum + (differences[kind]?.count ?? 0), 0);
}

/** The differences of one repository as text: `2 missing (src/a.ts, src/b.ts), 1 receipt (objects)`. */
export function describeDifferences(differences: Differences): string {
  return DIFFERENCES.flatMap((kind) => {
    const found = differences[kind];
    if (found === undefined) return [];
    const sample = found.sample.slice(0, SAMPLES_REPORTED);
    const more = found.count > sample.length ? ', …' : '';
    return [`${found.count} ${kind}${sample.length === 0 ? '' : ` (${sample.join(', ')}${more})`}`];
  }).join(', ');
}

/** Collects differences. */
export interface DifferenceLog {
  /** Counts one difference, or `count` with the same description. */
  add(kind: DifferenceKind, what: string, count?: number): void;
  /** The differences found so far, with the first ten descriptions of each kind. */
  differences(): Differences;
}

/** An empty log. */
export function createDifferenceLog(): DifferenceLog {
  const found = new Map<DifferenceKind, { count: number; sample: string[] }>();
  return {
    add(kind, what, count = 1) {
      const entry = found.get(kind) ?? { count: 0, sample: [] };
      entry.count += count;
      if (entry.sample.length < SAMPLES_KEPT) {
        entry.sample.push(what.length > LONGEST_SAMPLE ? `${what.slice(0, LONGEST_SAMPLE)}…` : what);
      }
      found.set(kind, entry);
    },
    differences: () => Object.fromEntries(found),
  };
}
