/** A test of a JUnit report. */
export interface ReportedTest {
  /** Class or file, and name: `src/a.test.ts > adds`. */
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number | null;
  /** Why it failed. */
  readonly message: string | null;
}

/** A file of a coverage report. Reports of Go count statements, all others lines. */
export interface CoveredFile {
  readonly path: string;
  readonly lines: number;
  readonly covered: number;
}

/** Levels of findings, the worst first, as SARIF names them. */
export const LEVELS = ['error', 'warning', 'note'] as const;
/** A level of a finding. */
export type Level = (typeof LEVELS)[number];

/** A finding of a SARIF report that is not suppressed. */
export interface ReportedFinding {
  /** Equal for the same finding in another run, also on another line. */
  readonly fingerprint: string;
  readonly rule: string;
  readonly level: Level;
  readonly path: string | null;
  readonly line: number | null;
  readonly message: string;
}

/** The kinds of reports that jobs declare. */
export const REPORT_KINDS = ['junit', 'lcov', 'cobertura', 'gocover', 'sarif'] as const;
/** A kind of report. */
export type ReportKind = (typeof REPORT_KINDS)[number];

/** What the reports of a job say. */
export interface JobReports {
  readonly tests: readonly ReportedTest[];
  readonly coverage: readonly CoveredFile[];
  readonly findings: readonly ReportedFinding[];
  /** Kinds of which at least one file was read. */
  readonly kinds: readonly ReportKind[];
}

/** The percentage of lines that tests run, with one decimal; null when there are no lines. */
export function coverageOf(files: readonly CoveredFile[]): number | null {
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  const covered = files.reduce((sum, file) => sum + file.covered, 0);
  // rounded down: 79.96 % is not 80 %
  return lines === 0 ? null : Math.floor((covered / lines) * 1_000) / 10;
}
