import { type Client, defaultPayloadConverter, type WorkflowExecutionStatusName } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';

interface Stub {
  readonly client: Client;
  readonly requests: { start: number; describe: number; history: number; waited: number };
  readonly started: { workflowId: string; memo: { asked: string } }[];
}

/** The server's description of a run with the workflow id. */
interface Run {
  readonly status: WorkflowExecutionStatusName;
  readonly type?: string;
  readonly memo?: object;
  /** The input in its first history event. */
  readonly input?: object;
}

/**
 * A stub of Temporal that describes these runs one after another and then repeats the last one; null: the id is free.
 */
function temporal(...runs: readonly (Run | null)[]): Stub {
  const requests = { start: 0, describe: 0, history: 0, waited: 0 };
  const started: Stub['started'] = [];
  const left = [...runs];
  const holder = (): Run | null => left[0] ?? null;
  const next = (): void => void (left.length > 1 && left.shift());
  const handle = (workflowId: string, runId = 'run') => ({
    workflowId,
    runId,
    describe: async () => {
      requests.describe++;
      const run = holder();
      next();
      if (run === null) throw new WorkflowNotFoundError('gone', workflowId, undefined);
      const { status, type = 'syncRepository', memo } = run;
      return { status: { name: status }, type, memo, workflowId, runId: 'run', raw: {} };
    },
    result: async () => {
      requests.waited++;
      next();
    },
  });
  const client = {
    options: { namespace: 'n', loadedDataConverter: { payloadConverter: defaultPayloadConverter } },
    workflowService: {
      getWorkflowExecutionHistory: async () => {
        requests.history++;
        const payloads = [defaultPayloadConverter.toPayload(runs.find((run) => run?.input)?.input ?? {})];
        return { history: { events: [{ workflowExecutionStartedEventAttributes: { input: { payloads } } }] } };
      },
    },
    workflow: {
      getHandle: handle,
      start: async (type: string, options: Stub['started'][number]) => {
        requests.start++;
        if (holder() !== null) throw new WorkflowExecutionAlreadyStartedError('busy', options.workflowId, type);
        started.push(options);
        return handle(options.workflowId, 'new');
      },
      signalWithStart: async (_type: string, options: Stub['started'][number]) => {
        started.push(options);
        return { ...handle(options.workflowId), signaledRunId: holder() === null ? 'new' : 'run' };
      },
    },
  };
  return { client: client as unknown as Client, requests, started };
}

const repository = 'work/acme/api';

describe('a run that has the workflow id', () => {
  test.each(['RUNNING', 'PAUSED'] as const)('%s: is joined by the same question, after one request', async (status) => {
    const { client, requests } = temporal({ status, input: { repository } });
    expect((await startFlow(client, 'syncRepository', { repository })).firstExecutionRunId).toBe('run');
    expect(requests).toMatchObject({ start: 1, describe: 1 });
  });

  test.each(['RUNNING', 'PAUSED'] as const)('%s: refuses another question, after one request', async (status) => {
    const { client, requests } = temporal({ status, input: { repository } });
    await expect(startFlow(client, 'syncRepository', { repository, branches: ['develop'] })).rejects.toMatchObject({
      type: 'RepositoryBusy',
    });
    expect(requests).toMatchObject({ start: 1, describe: 1 });
  });

  test.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT', 'CONTINUED_AS_NEW'] as const)(
    '%s: the id is free',
    async (status) => {
      const { client, started } = temporal({ status }, null);
      await startFlow(client, 'syncRepository', { repository });
      expect(started).toHaveLength(1);
    },
  );

  test.each(['UNSPECIFIED', 'UNKNOWN'] as const)('%s: is rejected with an explanation', async (status) => {
    const { client } = temporal({ status });
    await expect(startFlow(client, 'syncRepository', { repository })).rejects.toThrow(
      `Temporal does not say whether sync/${repository} is running: its status is ${status}.`,
    );
  });

  test('that keeps ending and restarting: the start fails', async () => {
    const { client, requests } = temporal({ status: 'COMPLETED' });
    await expect(startFlow(client, 'syncRepository', { repository })).rejects.toMatchObject({ type: 'RepositoryBusy' });
    expect(requests.start).toBeLessThan(50);
  });

  test('of another type is not joined; a stream waits for its end', async () => {
    const stream = 'a'.repeat(64);
    const { client, requests, started } = temporal({ status: 'PAUSED' }, { status: 'PAUSED' }, null);
    await startFlow(client, 'ingestStream', { repository, stream });
    expect([requests.waited, started.length]).toEqual([1, 1]);
  });
});

describe('the same question', () => {
  /** The memo that a start with this input writes. */
  async function asked(input: Parameters<typeof startFlow<'reembedIndex'>>[2]): Promise<string> {
    const { client, started } = temporal(null);
    await startFlow(client, 'reembedIndex', input);
    return started[0]?.memo.asked ?? '';
  }

  test('is independent of key order, explicit defaults and parallelism', async () => {
    const one = await asked({ model: 'onnx', queries: [{ query: 'a', repo: 'b' }] });
    expect(await asked({ queries: [{ repo: 'b', query: 'a' }], parallel: 64, yes: false, model: 'onnx' })).toBe(one);
    expect(await asked({ queries: [{ repo: 'b', query: 'a' }], yes: true, model: 'onnx' })).not.toBe(one);
  });

  test('is read from the memo, and from the history of a run that was started without one', async () => {
    const memo = { asked: await asked({ yes: true }) };
    const remembered = temporal({ status: 'RUNNING', type: 'reembedIndex', memo });
    await startFlow(remembered.client, 'reembedIndex', { yes: true });
    expect(remembered.requests.history).toBe(0);
    const byHand = temporal({ status: 'RUNNING', type: 'reembedIndex', input: { yes: true, parallel: 2 } });
    await startFlow(byHand.client, 'reembedIndex', { yes: true });
    expect(byHand.requests.history).toBe(1);
    const other = temporal({ status: 'RUNNING', type: 'reembedIndex', input: {} });
    await expect(startFlow(other.client, 'reembedIndex', { yes: true })).rejects.toMatchObject({ type: 'IndexBusy' });
  });

  test('is that of the workflow id for a flow that is started with a signal: it is joined without further requests', async () => {
    const free = temporal(null);
    const first = await startFlow(free.client, 'followRepository', { repository });
    const held = temporal({ status: 'RUNNING', type: 'followRepository' });
    const second = await startFlow(held.client, 'followRepository', { repository, quietSeconds: 60 });
    expect([first.firstExecutionRunId, second.firstExecutionRunId]).toEqual(['new', 'run']);
    expect(held.requests).toMatchObject({ start: 0, describe: 0, history: 0 });
    const [memo] = free.started.map(({ memo: { asked: digest } }) => digest);
    expect(memo).toMatch(/^[0-9a-f]{64}$/);
    expect(held.started.map(({ memo: { asked: digest } }) => digest)).toEqual([memo]);
    const other = temporal(null);
    await startFlow(other.client, 'followRepository', { repository: 'work/acme/web' });
    expect(other.started[0]?.memo.asked).not.toBe(memo);
  });

  test('patterns in another order, or waiting for a confirmation, are one onboarding', async () => {
    const input = { patterns: ['b/*', 'a/*'], confirm: true };
    const { client } = temporal({ status: 'RUNNING', type: 'onboardRepositories', input });
    const handle = await startFlow(client, 'onboardRepositories', { patterns: ['a/*', 'b/*'], parallel: 2 });
    expect(handle.workflowId).toMatch(/^onboard-[0-9a-f]{12}$/);
  });
});
