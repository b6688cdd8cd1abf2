import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { OpenRole, WingRole, WorkerStart } from '../../../activities/shared/wing-role.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { COMMON_ROLES, hostRole, parseRoles, queueOfRole, type RoleKind, ROLES } from '../../../domain/shared/roles.ts';
import { activityWorker, flowsWorker, joinWork, openRoles, type WorkerPlace } from '../../../workers/roles.ts';
import { WING_ROLES } from '../../../workers/wings.ts';

const place = { namespace: 'n' } as WorkerPlace;
const signal = new AbortController().signal;
const start: WorkerStart = {
  loaded: loadConfig({ env: {} }),
  env: {},
  client: {} as Client,
  registry: new Registry(),
  places: {
    weaviate: () => ({ url: 'http://none' }),
    ledger: () => {
      throw new Error('no ledger in this test');
    },
    modelFolder: () => Promise.resolve('none'),
  },
  logger: pino({ level: 'silent' }),
  signal,
};

/** Wings that record their calls. */
function toyWings(...wings: readonly (readonly [RoleKind, string, Partial<OpenRole>?])[]) {
  const noted: string[] = [];
  const toys = wings.map(([role, name, more = {}]): WingRole => ({
    role,
    open: () => {
      noted.push(`open ${name}`);
      return Promise.resolve({
        activities: { [name]: () => undefined },
        close: () => Promise.resolve(void noted.push(`close ${name}`)),
        ...more,
      });
    },
  }));
  return { toys, noted };
}

describe('the roles of a worker process', () => {
  test('open only the tools of the wings in these roles, and close them in reverse order', async () => {
    const { toys, noted } = toyWings(['flows', 'a'], ['repos', 'b'], ['repos', 'c']);
    const opened = await openRoles(toys, ['repos'], start);
    expect(noted).toEqual(['open b', 'open c']);
    expect([...opened.work.keys()]).toEqual(['repos']);
    expect(Object.keys(opened.work.get('repos')?.activities ?? {})).toEqual(['b', 'c']);
    await opened.close();
    expect(noted).toEqual(['open b', 'open c', 'close c', 'close b']);
  });

  test('close all open tools when a wing cannot start', async () => {
    const { toys, noted } = toyWings(['flows', 'a']);
    const broken: WingRole = { role: 'repos', open: () => Promise.reject(new Error('no disk')) };
    await expect(openRoles([...toys, broken], ['flows', 'repos'], start)).rejects.toThrow('no disk');
    expect(noted).toEqual(['open a', 'close a']);
  });

  test('open nothing in a process that must stop', async () => {
    const { toys, noted } = toyWings(['flows', 'a']);
    const stopped = { ...start, signal: AbortSignal.abort() };
    await expect(openRoles(toys, ['flows'], stopped)).rejects.toMatchObject({ name: 'AbortError' });
    expect(noted).toEqual([]);
  });

  test('use the smallest limits, and have each activity type once', async () => {
    const run = (): undefined => undefined;
    const one = { activities: { one: run }, limits: { concurrentActivities: 16, heartbeatMs: 2_000 } };
    const two = { activities: { two: run }, limits: { concurrentActivities: 4 } };
    const both = joinWork([one, two, { activities: {} }]);
    expect(both).toEqual({
      activities: { one: run, two: run },
      limits: { concurrentActivities: 4, heartbeatMs: 2_000 },
    });
    expect(activityWorker(place, 'repos', both)).toMatchObject({
      taskQueue: 'longhaul-repos',
      maxConcurrentActivityTaskExecutions: 4,
      maxHeartbeatThrottleInterval: 2_000,
    });
    expect(() => joinWork([one, one])).toThrow('two wings have an activity one');
  });

  test('`flows` runs workflow tasks and checks inputs, regardless of the wings', () => {
    const options = flowsWorker(place, { codePath: 'bundle.js' }, { work: { activities: { own: () => undefined } } });
    expect(options).toMatchObject({ taskQueue: 'longhaul-flows', workflowBundle: { codePath: 'bundle.js' } });
    expect(Object.keys(options.activities ?? {}).toSorted()).toEqual(['checkInput', 'own']);
  });
});

test('every role has work from a wing', () => {
  expect([...new Set(WING_ROLES.map(({ role }) => role))].toSorted()).toEqual([...ROLES, 'host'].toSorted());
});

test('roles are parsed from a list', () => {
  expect(parseRoles('repos,flows,repos')).toEqual(['repos', 'flows']);
  expect(() => parseRoles('flows,gpu')).toThrow('there is no role "gpu"; available: flows, repos');
  expect(parseRoles('pipelines')).toEqual(['pipelines']);
  expect(() => parseRoles('flows,pipelines')).toThrow('the role "pipelines" runs programs of repositories');
  expect(COMMON_ROLES).not.toContain('pipelines');
});

test('the role of a machine has its own task queue, and a process serves one machine', async () => {
  expect(parseRoles('flows,host:build-1')).toEqual(['flows', 'host:build-1']);
  expect(queueOfRole(hostRole('build-1'))).toBe('longhaul-host-build-1');
  expect(() => parseRoles('host:a,host:b')).toThrow('a process serves one machine, not host:a and host:b');
  for (const name of ['', 'A', '-a', 'a/b', 'a b', 'a'.repeat(64)]) {
    expect(() => parseRoles(`host:${name}`)).toThrow(
      'available: flows, repos, ledger, pipelines, deploy, and host:NAME',
    );
  }
  const { toys, noted } = toyWings(['host', 'disk'], ['repos', 'git']);
  const opened = await openRoles(toys, ['host:build-1'], start);
  expect(noted).toEqual(['open disk']);
  expect(Object.keys(opened.work.get('host:build-1')?.activities ?? {})).toEqual(['disk']);
  expect(activityWorker(place, 'host:build-1', { activities: {} })).toMatchObject({
    taskQueue: 'longhaul-host-build-1',
  });
});
