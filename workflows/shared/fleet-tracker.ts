import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { describeFleet, fleetProgress, type FleetView } from '../../domain/fleet/describe.ts';
import { FAILURES_KEPT, type RepositoryFailure } from '../../domain/fleet/failure.ts';
import type { FleetResult, FleetStatus } from '../../domain/fleet/fleet.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import type { FleetState } from './fleet-state.ts';
import { answerProgress } from './progress.ts';

const STAGE = defineSearchAttributeKey('LonghaulStage', 'KEYWORD');

/** Tracks the progress of a fleet flow, shows it in the UI, and answers the query `progress`. */
export class FleetTracker<Counters extends object> {
  private now: FleetStatus;
  private counted: Counters;
  private readonly view: FleetView<Counters>;

  constructor({ status, counters }: FleetState<Counters>, view: FleetView<Counters>) {
    this.now = status;
    this.counted = counters;
    this.view = view;
    answerProgress(() => this.progress);
  }

  /** The current status. */
  get status(): FleetStatus {
    return this.now;
  }

  /** The wing's counts. */
  get counters(): Counters {
    return this.counted;
  }

  /** The answer of the query `progress`. */
  get progress(): FlowProgress {
    return fleetProgress(this.now, this.counted, this.view);
  }

  /** Changes some fields of the status and shows it in the UI. */
  update(change: Partial<FleetStatus>): void {
    this.now = { ...this.now, ...change };
    if (change.stage !== undefined) upsertSearchAttributes([{ key: STAGE, value: change.stage }]);
    this.show();
  }

  /** Changes some of the wing's counts and shows them in the UI. */
  count(change: Partial<Counters>): void {
    this.counted = { ...this.counted, ...change };
    this.show();
  }

  /** Work on a repository began. */
  started(id: string): void {
    this.update({ running: [...this.now.running, repositoryName(id)] });
  }

  /** Work on a repository ended, whatever its result. */
  ended(id: string): void {
    const first = this.now.running.indexOf(repositoryName(id));
    this.update({ running: this.now.running.filter((_, index) => index !== first) });
  }

  /** A repository succeeded. */
  succeeded(): void {
    this.update({ succeeded: this.now.succeeded + 1 });
  }

  /** Repositories failed; `count` when there are more than the failures given. */
  failed(failures: readonly RepositoryFailure[], count: number): void {
    this.update({
      failed: this.now.failed + count,
      failures: [...this.now.failures, ...failures].slice(0, FAILURES_KEPT),
    });
  }

  /** The result so far, with the number of consecutive runs that each failed repository has failed in. */
  result({ startedAt, failedBefore }: FleetState<Counters>): FleetResult & Counters {
    const { matched, succeeded, skipped, failed, declined } = this.now;
    const failures = this.now.failures.map((failure) => ({
      ...failure,
      inARow: (failedBefore[failure.repository] ?? 0) + 1,
    }));
    const counts = { matched, succeeded, skipped, failed, failures, declined, durationMs: Date.now() - startedAt };
    return { ...counts, ...this.counted };
  }

  private show(): void {
    setCurrentDetails(describeFleet(this.now, this.counted, this.view));
  }
}
