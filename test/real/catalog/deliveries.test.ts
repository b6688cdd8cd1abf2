import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createFollowActivities, type FollowActivities } from '../../../activities/catalog/follow.ts';
import { createInputActivities } from '../../../activities/shared/input.ts';
import { FLOWS } from '../../../domain/flows.ts';
import type { Delivery } from '../../../domain/forge/repository-event.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import '../../support/quiet-runtime.ts';
import { mockActivity } from '../../support/mock-activity.ts';

async function connect(): Promise<Client> {
  const connection = await Connection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  return new Client({ connection, namespace: NAMESPACE });
}

function delivery(repository: string): Delivery {
  return { repository, quietSeconds: 3_600, event: { kind: 'pushed', delivery: randomUUID() } };
}

test('a retry continues where the last attempt ended', async () => {
  const client = await connect();
  const repositories = [1, 2, 3].map((n) => `local/${randomUUID()}/${n}`);
  const follows = repositories.map((repository) => client.workflow.getHandle(`follow/${repository}`));
  onTestFinished(async () => void (await Promise.allSettled(follows.map((follow) => follow.terminate()))));
  const { tellRepositories } = createFollowActivities();
  const beats: unknown[] = [];
  const environment = mockActivity({ heartbeatDetails: 2 }, { client });
  environment.on('heartbeat', (details) => beats.push(details));
  await environment.run(tellRepositories, { deliveries: repositories.map(delivery) });
  const told = await Promise.all(
    follows.map((follow) =>
      follow.describe().then(
        () => true,
        () => false,
      ),
    ),
  );
  expect(told).toEqual([false, false, true]);
  expect(beats).toEqual([2, 3]);
});

/** The flow of deliveries on a queue of its own, whose only activity is `tellRepositories`. */
async function openDeliveries(tellRepositories: FollowActivities['tellRepositories']) {
  const client = await connect();
  const connection = await NativeConnection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  const taskQueue = `deliveries-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    namespace: NAMESPACE,
    taskQueue,
    workflowBundle: { codePath: inject('stack').workflowBundle },
    activities: { ...createInputActivities(FLOWS), tellRepositories },
  });
  return {
    worker,
    send: (deliveries: readonly Delivery[]) =>
      client.workflow.signalWithStart('takeDeliveries', {
        taskQueue,
        workflowId: taskQueue,
        args: [{}],
        signal: 'deliveries',
        signalArgs: [{ deliveries }],
      }),
    run: (runId?: string) => client.workflow.getHandle<() => Promise<unknown>>(taskQueue, runId),
  };
}

test('deliveries that could not be passed on do not affect later ones', async () => {
  const passedOn: string[] = [];
  const { worker, send, run } = await openDeliveries(async ({ deliveries }) => {
    passedOn.push(...deliveries.map(({ repository }) => repository));
    if (passedOn.length > 1) return;
    await send([delivery('local/acme/second')]);
    throw ApplicationFailure.nonRetryable('refused');
  });
  const result = worker.runUntil(async () => {
    await send([delivery('local/acme/first')]);
    return run().result();
  });
  // it is not reported as successful
  await expect(result).rejects.toMatchObject({ cause: { message: 'refused' } });
  expect(passedOn).toEqual(['local/acme/first', 'local/acme/second']);
});

const BURST = 15_000;

/** Deliveries of 15,000 repositories in two signals: one payload could not hold them. */
function burst(): readonly (readonly Delivery[])[] {
  const all = Array.from({ length: BURST }, (_, n) => delivery(`local/acme/${'x'.repeat(40)}-${n}`));
  expect(Buffer.byteLength(JSON.stringify(all))).toBeGreaterThan(2 * 1024 * 1024);
  return [all.slice(0, BURST / 2), all.slice(BURST / 2)];
}

test.for([
  { isFailing: false, outcome: { taken: BURST + 1 } },
  { isFailing: true, outcome: { type: 'GitFailed', message: 'refused' } },
])(
  'a burst is passed on in slices; what was taken and what failed survives continue-as-new: %j',
  async ({ isFailing, outcome }) => {
    const slices: (readonly Delivery[])[] = [];
    const { worker, send, run } = await openDeliveries(async ({ deliveries }) => {
      slices.push(deliveries);
      // while the last slice of the burst is passed on, one more arrives
      if (slices.length === 8) await send([delivery('local/acme/late')]);
      if (slices.length === 2 && isFailing) throw ApplicationFailure.nonRetryable('refused', 'GitFailed');
    });
    const parts = burst();
    const [first] = [await send(parts[0] ?? []), await send(parts[1] ?? [])];
    const ended = await worker.runUntil(() =>
      run()
        .result()
        .catch(({ cause }: WorkflowFailedError) => cause),
    );
    expect(ended).toMatchObject(outcome);

    // by number, in order, none twice and none left out
    expect(slices.map(({ length }) => length)).toEqual([...Array<number>(7).fill(2_000), 1_000, 1]);
    expect(slices.flat()).toEqual([...parts.flat(), expect.objectContaining({ repository: 'local/acme/late' })]);
    // the history of the first run, over 4 MiB, is too large to be fetched
    const firstRun = await run(first.signaledRunId).describe();
    expect(firstRun.status.name).toBe('CONTINUED_AS_NEW');
  },
);
