import { createHash } from 'node:crypto';
import {
  type Client,
  type WorkflowHandleWithFirstExecutionRunId,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type WorkflowOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { parseFlowInput } from '../../activities/shared/input.ts';
import type {
  PruneInput,
  PruneResult,
  ReembedInput,
  ReembedResult,
  SwitchInput,
  SwitchResult,
} from '../../domain/catalog/flows/build-flows.ts';
import type {
  IngestStreamInput,
  OnboardInput,
  RemoveInput,
  SyncRepositoriesInput,
  SyncRepositoryInput,
  VerifyInput,
} from '../../domain/catalog/flows/flows.ts';
import type { FleetResult, RepositoryOutcome } from '../../domain/fleet/fleet.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import {
  type ApplySyncGroupsInput,
  type ApplySyncGroupsResult,
  SYNC_GROUPS_LOCK,
  type SyncGroupInput,
} from '../../domain/catalog/groups/sync-groups.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { FLOWS_QUEUE } from '../../domain/shared/queues.ts';

/** The flows that can be started, by workflow type: input and result. */
export interface Flows {
  onboardRepositories: { input: OnboardInput; result: FleetResult };
  syncRepositories: { input: SyncRepositoriesInput; result: FleetResult };
  syncRepository: { input: SyncRepositoryInput; result: RepositoryOutcome };
  removeRepositories: { input: RemoveInput; result: FleetResult };
  verifyCatalog: { input: VerifyInput; result: FleetResult };
  ingestStream: { input: IngestStreamInput; result: RepositoryOutcome };
  reembedIndex: { input: ReembedInput; result: ReembedResult };
  switchIndex: { input: SwitchInput; result: SwitchResult };
  pruneIndex: { input: PruneInput; result: PruneResult };
  applySyncGroups: { input: ApplySyncGroupsInput; result: ApplySyncGroupsResult };
  syncGroup: { input: SyncGroupInput; result: FleetResult };
}

/** A flow that runs. */
export type FlowHandle<Type extends keyof Flows> = WorkflowHandleWithFirstExecutionRunId<
  (input: Flows[Type]['input']) => Promise<Flows[Type]['result']>
>;

/** Larger inputs are refused before the server is asked: it would be retried for half a minute and then refused. */
const MAX_INPUT_BYTES = 256 * 1024;

/** How a flow is started. */
export interface StartOptions {
  /**
   * The name of the request. The same name is the same run, also after it has ended, for as long as Temporal keeps it: a
   * request that is sent again does nothing twice. `InvalidInput` when it was another request that had this name.
   * @default the flow's own identity, so that whoever asks the same joins what runs
   */
  readonly once?: string;
}

/**
 * Starts a flow, or joins the one that runs under the same id: the same question asked twice is one run. A stream waits for
 * whatever runs on its repository, a declaration of sync groups for another one that is being applied. Throws `InvalidInput`
 * before anything is started, `RepositoryBusy` or `IndexBusy` when something else is under way.
 */
export async function startFlow<Type extends keyof Flows>(
  client: Client,
  type: Type,
  input: Flows[Type]['input'],
  { once }: StartOptions = {},
): Promise<FlowHandle<Type>> {
  parseFlowInput(type, input);
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > MAX_INPUT_BYTES) {
    throw new LonghaulError(
      'InvalidInput',
      `${type}: the input has ${bytes} bytes, at most ${MAX_INPUT_BYTES} are taken.`,
    );
  }
  const { workflowId, summary, repository } = identityOf(type, input);
  if (once !== undefined) return startOnce(client, type, input, { once, summary, repository });
  // a stream is not what another run works on: it waits for the lock
  if (type === 'ingestStream') await untilFree(client, workflowId);
  const asked = sha256(JSON.stringify(input));
  for (;;) {
    try {
      return (await client.workflow.start(type, {
        taskQueue: FLOWS_QUEUE,
        workflowId,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        args: [input],
        staticSummary: summary,
        ...(type === 'applySyncGroups' ? { memo: { asked } } : {}),
        ...aboutRepository(repository),
      })) as FlowHandle<Type>;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      if (workflowId === BUILDS_LOCK) {
        throw new LonghaulError('IndexBusy', 'Another run is changing the builds of the index.', { cause: error });
      }
      const running = await client.workflow.getHandle(workflowId).describe();
      if (running.status.name !== 'RUNNING') continue;
      const isSame = type === 'applySyncGroups' ? running.memo?.['asked'] === asked : type !== 'ingestStream';
      if (running.type === type && isSame) {
        const handle = client.workflow.getHandle(workflowId, running.runId);
        return Object.assign(handle, { firstExecutionRunId: running.runId });
      }
      if (type !== 'applySyncGroups') {
        const message = `Another run is working on ${repository ?? workflowId}.`;
        throw new LonghaulError('RepositoryBusy', message, { cause: error });
      }
      await untilFree(client, workflowId);
    }
  }
}

/** Starts a flow under the name of the request, or finds the run that had it. */
async function startOnce<Type extends keyof Flows>(
  client: Client,
  type: Type,
  input: Flows[Type]['input'],
  {
    once,
    summary,
    repository,
  }: { readonly once: string; readonly summary: string; readonly repository: string | null },
): Promise<FlowHandle<Type>> {
  const workflowId = `${type}/${sha256(once).slice(0, 32)}`;
  const asked = sha256(JSON.stringify(input));
  const find = async (): Promise<FlowHandle<Type>> => {
    const handle = client.workflow.getHandle(workflowId);
    const { memo, runId } = await handle.describe();
    if (memo?.['asked'] !== asked) {
      throw new LonghaulError('InvalidInput', `${type}: another input was given under the same name of a request.`);
    }
    return Object.assign(handle, { firstExecutionRunId: runId });
  };
  try {
    return (await client.workflow.start(type, {
      taskQueue: FLOWS_QUEUE,
      workflowId,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      args: [input],
      memo: { asked },
      staticSummary: summary,
      ...aboutRepository(repository),
    })) as FlowHandle<Type>;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return find();
    throw error;
  }
}

/** The search attribute of a run that is about one repository. */
function aboutRepository(repository: string | null): Pick<WorkflowOptions, 'typedSearchAttributes'> {
  if (repository === null) return {};
  const key = defineSearchAttributeKey('LonghaulRepository', 'KEYWORD');
  return { typedSearchAttributes: [{ key, value: repository }] };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The workflow id of whatever changes the builds of the index: one at a time. */
const BUILDS_LOCK = 'index-builds';

/** Waits for the run that holds an id to end, however it ends. */
async function untilFree(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    if ((await handle.describe()).status.name === 'RUNNING') await handle.result();
  } catch {
    // it failed, or there never was one
  }
}

/** The workflow id is the lock (docs/architecture.md, Identity). */
function identityOf(
  type: keyof Flows,
  input: Flows[keyof Flows]['input'],
): { workflowId: string; summary: string; repository: string | null } {
  if ('repository' in input) {
    const id = typeof input.repository === 'string' ? input.repository : input.repository.id;
    return { workflowId: `sync/${id}`, summary: `${type} ${repositoryName(id)}`, repository: repositoryName(id) };
  }
  if (type === 'reembedIndex' || type === 'switchIndex' || type === 'pruneIndex') {
    return { workflowId: BUILDS_LOCK, summary: type, repository: null };
  }
  if (type === 'applySyncGroups') {
    return { workflowId: SYNC_GROUPS_LOCK, summary: 'apply sync groups', repository: null };
  }
  if ('name' in input) {
    return { workflowId: `sync-group/${input.name}`, summary: `sync group ${input.name}`, repository: null };
  }
  const verb = {
    onboardRepositories: 'onboard',
    syncRepositories: 'sync',
    removeRepositories: 'remove',
    // another depth is another question
    verifyCatalog: ['verify', 'full' in input && input.full && 'full', 'repair' in input && input.repair && 'repair']
      .filter(Boolean)
      .join('-'),
  }[type as string];
  if (!('patterns' in input) || input.patterns === undefined) {
    return { workflowId: `${verb}-all`, summary: `${verb} all repositories`, repository: null };
  }
  const branch = 'branch' in input && input.branch !== undefined ? [`\n${input.branch}`] : [];
  const patterns = [...input.patterns.toSorted(), ...branch].join('\n');
  const digest = sha256(patterns).slice(0, 12);
  const summary = `${verb} ${input.patterns.join(', ')}`.slice(0, 200);
  return { workflowId: `${verb}-${digest}`, summary, repository: null };
}
