import { createHash } from 'node:crypto';
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { parseFlowInput } from '../activities/input.js';
import { repositoryName } from '../domain/catalog/repository.js';
import { LonghaulError } from '../domain/failures.js';
/** The task queue that all flows run on. */
export const FLOWS_QUEUE = 'longhaul-flows';
/** Larger inputs are refused before the server is asked: it would be retried for half a minute and then refused. */
const MAX_INPUT_BYTES = 256 * 1024;
/**
 * Starts a flow, or joins the one that runs under the same id: the same question asked twice is one run. Throws
 * `InvalidInput` before anything is started.
 */
export async function startFlow(client, type, input) {
    parseFlowInput(type, input);
    const bytes = Buffer.byteLength(JSON.stringify(input));
    if (bytes > MAX_INPUT_BYTES) {
        throw new LonghaulError('InvalidInput', `${type}: the input has ${bytes} bytes, at most ${MAX_INPUT_BYTES} are taken.`);
    }
    const { workflowId, summary, repository } = identityOf(type, input);
    return (await client.workflow.start(type, {
        taskQueue: FLOWS_QUEUE,
        workflowId,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        args: [input],
        staticSummary: summary,
        ...(repository === null
            ? {}
            : { typedSearchAttributes: [{ key: defineSearchAttributeKey('LonghaulRepository', 'KEYWORD'), value: repository }] }),
    }));
}
/** The workflow id is the lock (docs/architecture.md, Identity). */
function identityOf(type, input) {
    if ('repository' in input) {
        const id = typeof input.repository === 'string' ? input.repository : input.repository.id;
        return { workflowId: `sync/${id}`, summary: `${type} ${repositoryName(id)}`, repository: repositoryName(id) };
    }
    const verb = { onboardRepositories: 'onboard', syncRepositories: 'sync', removeRepositories: 'remove' }[type];
    if (!('patterns' in input) || input.patterns === undefined) {
        return { workflowId: `${verb}-all`, summary: `${verb} all repositories`, repository: null };
    }
    const patterns = [...input.patterns].sort().join('\n');
    const digest = createHash('sha256').update(patterns).digest('hex').slice(0, 12);
    const summary = `${verb} ${input.patterns.join(', ')}`.slice(0, 200);
    return { workflowId: `${verb}-${digest}`, summary, repository: null };
}
//# sourceMappingURL=flows.js.map