import { ChildWorkflowCancellationType, continueAsNew, executeChild, isCancellation, ParentClosePolicy, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo, } from '@temporalio/workflow';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { FAILURES_KEPT, } from '../../domain/catalog/flows.js';
import { describeProgress } from '../../domain/catalog/progress.js';
import { repositoryName } from '../../domain/catalog/repository.js';
import { failureOf } from '../shared/failure.js';
import { inLanes } from '../shared/lanes.js';
import { progressQuery } from './messages.js';
/** Repositories a page: few enough that one run's history stays far below Temporal's limits, many enough to be rare. */
export const PAGE_SIZE = 500;
const REPOSITORY = defineSearchAttributeKey('LonghaulRepository', 'KEYWORD');
const STAGE = defineSearchAttributeKey('LonghaulStage', 'KEYWORD');
/** The state of a flow that has done nothing yet. */
export function newFleet(now) {
    return {
        after: null,
        startedAt: now,
        progress: {
            stage: 'finding',
            sample: [],
            total: 0,
            running: [],
            matched: 0,
            succeeded: 0,
            skipped: 0,
            failed: 0,
            failures: [],
            filesChanged: 0,
            objectsWritten: 0,
            objectsDeleted: 0,
            embedded: 0,
            embeddingsReused: 0,
            declined: false,
        },
    };
}
/** Keeps the progress of a fleet flow, shows it in the UI, and answers the query `progress`. */
export class FleetTracker {
    state;
    constructor(state) {
        this.state = state;
        setHandler(progressQuery, () => this.state, { description: 'What the flow is doing and how far it is' });
    }
    get progress() {
        return this.state;
    }
    update(change) {
        this.state = { ...this.state, ...change };
        if (change.stage !== undefined)
            upsertSearchAttributes([{ key: STAGE, value: change.stage }]);
        setCurrentDetails(describeProgress(this.state));
    }
    started(id) {
        this.update({ running: [...this.state.running, repositoryName(id)] });
    }
    finished(id, change) {
        const done = this.state.running.indexOf(repositoryName(id));
        this.update({ running: this.state.running.filter((_, index) => index !== done), ...change });
    }
    succeeded(id, outcome) {
        const { state } = this;
        this.finished(id, {
            succeeded: state.succeeded + 1,
            filesChanged: state.filesChanged + outcome.filesChanged,
            objectsWritten: state.objectsWritten + outcome.objectsWritten,
            objectsDeleted: state.objectsDeleted + outcome.objectsDeleted,
            embedded: state.embedded + outcome.embedded,
            embeddingsReused: state.embeddingsReused + outcome.embeddingsReused,
        });
    }
    failed(failures) {
        this.update({
            failed: this.state.failed + failures.length,
            failures: [...this.state.failures, ...failures].slice(0, FAILURES_KEPT),
        });
    }
}
/**
 * Works through all repositories that need work, page by page, a child workflow each, in bounded lanes; one that fails
 * is recorded and never stops the others. Continues as new between pages.
 */
export async function workThroughFleet(state, tracker, work) {
    tracker.update({ stage: 'finding' });
    const page = await work.page(state.after);
    if (state.after === null) {
        tracker.update({
            matched: page.matched,
            total: page.total,
            sample: page.repositories.slice(0, 50).map(({ id }) => repositoryName(id)),
        });
        if (page.total > 0 && !(await work.proceed(page.total))) {
            tracker.update({ stage: 'done', declined: true });
            return resultOf(tracker.progress, state.startedAt);
        }
    }
    tracker.update({ stage: 'working', skipped: tracker.progress.skipped + page.upToDate });
    tracker.failed(page.failures);
    await inLanes(page.repositories, work.parallel, (repository) => workOn(repository, tracker, work));
    if (page.next !== null) {
        await continueAsNew(work.nextInput({ ...state, after: page.next, progress: tracker.progress }));
    }
    tracker.update({ stage: 'done' });
    return resultOf(tracker.progress, state.startedAt);
}
async function workOn(repository, tracker, work) {
    tracker.started(repository.id);
    try {
        const outcome = await executeChild(work.child.type, {
            workflowId: `sync/${repository.id}`,
            args: [work.child.input(repository)],
            parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
            cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            typedSearchAttributes: [{ key: REPOSITORY, value: repositoryName(repository.id) }],
            staticSummary: `${work.child.type} ${repositoryName(repository.id)}`,
        });
        tracker.succeeded(repository.id, outcome);
    }
    catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
            // another run holds the lock and does the same work
            tracker.finished(repository.id, { skipped: tracker.progress.skipped + 1 });
            return;
        }
        tracker.finished(repository.id, {});
        if (isCancellation(error))
            throw error;
        tracker.failed([failureOf(repository.id, error)]);
    }
}
function resultOf(progress, startedAt) {
    const { stage: _stage, sample: _sample, total: _total, running: _running, ...counts } = progress;
    return { ...counts, durationMs: Date.now() - startedAt };
}
/** When the first run of this chain began, milliseconds since the epoch. */
export function runStart() {
    return workflowInfo().startTime.getTime();
}
//# sourceMappingURL=fleet.js.map