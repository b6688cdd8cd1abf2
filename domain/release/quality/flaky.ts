/** Runs of a pipeline in which flaky tests are looked for: the latest ones. */
export const FLAKY_RUNS = 100;

/** A test of a job that has both passed and failed at the same commit, in attempts or runs among the latest ones. */
export interface FlakyTest {
  /** Id of the job in the plan: another combination of a matrix is another job. */
  readonly job: string;
  readonly name: string;
  /** Commits at which it did both. */
  readonly commits: number;
  /** How often it failed and passed at these commits, one count an attempt. */
  readonly failed: number;
  readonly passed: number;
  /** When the last of these runs ended, ISO 8601. */
  readonly last: string;
}

/** A flaky test as one line. */
export function flakyLine({ job, name, commits, failed, passed, last }: FlakyTest): string {
  const where = commits === 1 ? 'at one commit' : `at ${commits} commits`;
  return `${name} (job ${job}): ${failed} failed and ${passed} passed ${where}, last on ${last.slice(0, 10)}`;
}
