import { type WorkflowBundleOption } from '@temporalio/worker';
/** The workflow code: the bundle that the build made, or one made now from the sources. */
export declare function workflowBundle(): Promise<WorkflowBundleOption>;
