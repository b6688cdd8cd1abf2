import { type Client, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { FleetResult, IngestStreamInput, OnboardInput, RemoveInput, RepositoryOutcome, SyncRepositoriesInput, SyncRepositoryInput } from '../domain/catalog/flows.ts';
/** The task queue that all flows run on. */
export declare const FLOWS_QUEUE = "longhaul-flows";
/** The flows that can be started, by workflow type: input and result. */
export interface Flows {
    onboardRepositories: {
        input: OnboardInput;
        result: FleetResult;
    };
    syncRepositories: {
        input: SyncRepositoriesInput;
        result: FleetResult;
    };
    syncRepository: {
        input: SyncRepositoryInput;
        result: RepositoryOutcome;
    };
    removeRepositories: {
        input: RemoveInput;
        result: FleetResult;
    };
    ingestStream: {
        input: IngestStreamInput;
        result: RepositoryOutcome;
    };
}
/** A flow that runs. */
export type FlowHandle<Type extends keyof Flows> = WorkflowHandleWithFirstExecutionRunId<(input: Flows[Type]['input']) => Promise<Flows[Type]['result']>>;
/**
 * Starts a flow, or joins the one that runs under the same id: the same question asked twice is one run. Throws
 * `InvalidInput` before anything is started.
 */
export declare function startFlow<Type extends keyof Flows>(client: Client, type: Type, input: Flows[Type]['input']): Promise<FlowHandle<Type>>;
