/** What can differ between the index and git, in the order in which it is reported. */
export const DIFFERENCES = ['missing', 'stale', 'foreign', 'altered', 'receipt', 'gone'] as const;

/**
 * - `missing`: an object that git asks for and Weaviate does not have.
 * - `stale`: an object of a file that the receipt's tree does not have, or beyond its last chunk; it names the receipt's ref.
 * - `foreign`: an object whose repository has no receipt, or whose id does not follow from its properties; a receipt whose
 *   provider is not configured.
 * - `altered`: an object with the right id and another text, property or vector than the analyzer makes, or with other refs than
 *   those that hold it.
 * - `receipt`: a receipt that does not say what git says, or that a run left unfinished.
 * - `gone`: a repository that its provider does not have any more, or a branch that the repository does not have any more.
 */
export type DifferenceKind = (typeof DIFFERENCES)[number];

/** All differences of one kind. */
export interface Difference {
  readonly count: number;
  /** The first of them, in words: a path and what about it, the id of an object, a field of the receipt. */
  readonly sample: readonly string[];
}

/** The differences that there are, by kind. */
export type Differences = Readonly<Partial<Record<DifferenceKind, Difference>>>;

/** What the verification of one repository found and mended. */
export interface RepositoryVerification {
  readonly repository: string;
  /**
   * `everything`: every object, its properties and its vector with what git and the analyzer make. `counts`: number and XOR of
   * the ids with the receipt, because there is no git to ask. `nothing`: there is nothing to compare with.
   */
  readonly compared: 'everything' | 'counts' | 'nothing';
  readonly differences: Differences;
  /** True when nothing differs any more; false when something does, or was not to be mended. */
  readonly isTrue: boolean;
  /** Why less was compared or mended than was asked for; null when all was. */
  readonly note: string | null;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  readonly durationMs: number;
}

/** What the verification of many repositories found: the sums, and the first fifty that differed. */
export interface VerificationReport {
  /** Repositories in which something differed. */
  readonly differing: number;
  /** Those of them in which nothing differs any more. */
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
/** … and a report over many repositories: it travels through workflow history. */
const SAMPLES_REPORTED = 3;
const LONGEST_SAMPLE = 200;

/** A report of nothing. */
export const NOTHING_DIFFERS: VerificationReport = {
  differing: 0,
  mended: 0,
  differences: { missing: 0, stale: 0, foreign: 0, altered: 0, receipt: 0, gone: 0 },
  repositories: [],
};

/** The report with one more repository in it. */
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

/** How many differences there are. */
export function totalOf(differences: Differences): number {
  return DIFFERENCES.reduce((sum, kind) => sum + (differences[kind]?.count ?? 0), 0);
}

/** The differences of one repository in a sentence: `2 missing (src/a.ts, src/b.ts), 1 receipt (objects)`. */
export function describeDifferences(differences: Differences): string {
  return DIFFERENCES.flatMap((kind) => {
    const found = differences[kind];
    if (found === undefined) return [];
    const sample = found.sample.slice(0, SAMPLES_REPORTED);
    const more = found.count > sample.length ? ', …' : '';
    return [`${found.count} ${kind}${sample.length === 0 ? '' : ` (${sample.join(', ')}${more})`}`];
  }).join(', ');
}

/** Collects differences while they are found. */
export interface DifferenceLog {
  /** Counts one difference, or `count` that have one description. */
  add(kind: DifferenceKind, what: string, count?: number): void;
  /** What was found so far; the first ten of each kind in words. */
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
