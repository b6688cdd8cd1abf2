import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createFollowActivities, type FollowActivities } from '../../../activities/catalog/follow.ts';
import type { Delivery } from '../../../domain/forge/repository-event.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import '../../support/quiet-runtime.ts';

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
  const environment = new MockActivityEnvironment({ heartbeatDetails: 2 }, { client });
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

test('deliveries that could not be passed on do not affect later ones', async () => {
  const client = await connect();
  const connection = await NativeConnection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  const taskQueue = `deliveries-${randomUUID()}`;
  const tell = (repository: string): Promise<unknown> =>
    client.workflow.signalWithStart('takeDeliveries', {
      taskQueue,
      workflowId: taskQueue,
      args: [{}],
      signal: 'deliveries',
      signalArgs: [{ deliveries: [delivery(repository)] }],
    });
  const passedOn: string[] = [];
  const tellRepositories: FollowActivities['tellRepositories'] = async ({ deliveries }) => {
    passedOn.push(...deliveries.map(({ repository }) => repository));
    if (passedOn.length > 1) return;
    await tell('local/acme/second');
    throw ApplicationFailure.nonRetryable('refused');
  };
  const worker = await Worker.create({
    connection,
    namespace: NAMESPACE,
    taskQueue,
    workflowBundle: { codePath: inject('stack').workflowBundle },
    activities: { tellRepositories },
  });
  const result = worker.runUntil(async () => {
    await tell('local/acme/first');
    return client.workflow.getHandle<() => Promise<unknown>>(taskQueue).result();
  });
  // it is not reported as successful
  await expect(result).rejects.toMatchObject({ cause: { message: 'refused' } });
  expect(passedOn).toEqual(['local/acme/first', 'local/acme/second']);
});
