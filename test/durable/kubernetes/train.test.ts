import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { RunTrainResult } from '../../../domain/release/flows/train-flows.ts';
import { DAYS } from '../../../domain/release/train/timetable.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn } from '../../support/release/deployments.ts';
import { type Release, releaseTest, REPOSITORY } from '../../support/release/releases.ts';
import { commit, generation, prove, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

const CI = `name: full-ci
steps: [{name: unit, command: 'test -f README.md'}]
`;
/** The day of the trains: in three days, so that no cut-off of theirs is near. */
const DAY = new Date(Date.now() + 3 * 86_400_000);
const POLICY = `train: {day: ${DAYS[DAY.getUTCDay()]}, time: "09:00", deploy_to: production}\n`;

function environments(freeze = ''): string {
  return `environments:
  - name: production
    context: test
    namespace: shop
    watch: 2s
    ${freeze}
    services: {api: {manifests: {folder: k8s}, ready: 60s}}
`;
}

function api(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: "${image}"}]}
`;
}

/** Proves the only change of a version, and pushes everything. */
async function ready(release: Release, version: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { clone } = release;
  write(clone, { [`.longhaul/generations/${version}.yaml`]: generation(version, ['FEAT-1']), ...files });
  commit(clone, `chore: ${version}`);
  await prove(release, version, 'FEAT-1', { [version]: '' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
}

/** Starts the train of a departure that was missed, some weeks ago, as the schedule does after an outage. */
async function missed({ client }: Release, weeks: number): Promise<string> {
  // at noon of the day before the departure
  const at = Date.UTC(DAY.getUTCFullYear(), DAY.getUTCMonth(), DAY.getUTCDate() - 1 - 7 * weeks, 12);
  await client.schedule.getHandle(`train/${REPOSITORY}`).backfill({
    start: new Date(at - 60_000),
    end: new Date(at + 60_000),
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
  });
  return `train/${REPOSITORY}-${new Date(at).toISOString().slice(0, 19)}Z`;
}

async function endOf({ client }: Release, workflowId: string): Promise<unknown> {
  await vi.waitFor(() => client.workflow.getHandle(workflowId).describe(), { timeout: 60_000, interval: 200 });
  return client.workflow.getHandle(workflowId).result();
}

async function reportOf({ longhaul }: Release) {
  const { stdout } = await longhaul('train', 'status', '--json');
  return (JSON.parse(stdout) as RunTrainResult).report;
}

describe('a release train to a cluster', { timeout: 300_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  const imageOf = (): Promise<string> =>
    cluster.kubectl([
      'get',
      'pods',
      '-n',
      'shop',
      '-l',
      'app=api',
      '-o',
      'jsonpath={.items[*].spec.containers[0].image}',
    ]);

  test('promotes and deploys what is proven', async ({ release }) => {
    await ready(release, 'v1.0.0', {
      '.longhaul/policy.yaml': POLICY,
      '.longhaul/pipelines/full-ci.yaml': CI,
      '.longhaul/environments.yaml': environments(),
      'k8s/api.yaml': api('app:1'),
    });
    expect(await release.longhaul('train', 'start')).toMatchObject({ exitCode: 0 });
    const run = await missed(release, 4);
    expect(await endOf(release, run)).toMatchObject({
      outcome: 'departed',
      version: 'v1.0.0',
      environment: 'production',
    });
    expect(await imageOf()).toBe('app:1');
    const { status } = await cluster.get<{ readonly status: { readonly readyReplicas: number } }>(
      'deployment/api',
      '-n',
      'shop',
    );
    expect(status.readyReplicas).toBe(1);
    expect((await reportOf(release))?.last.map(({ event }) => event)).toEqual(['departed', 'arrived']);
    release.replayed(`train/${REPOSITORY}`);
  });

  test('holds during a freeze of the environment, and deploys when it is over', async ({ release }) => {
    const local = (at: number): string => new Date(at).toISOString().slice(0, 19);
    const until = Date.now() + 90_000;
    const freeze = `freeze: [{name: sale, from: ${local(Date.now() - 60_000)}, until: ${local(until)}}]`;
    await ready(release, 'v1.1.0', {
      '.longhaul/environments.yaml': environments(freeze),
      'k8s/api.yaml': api('app:2'),
    });
    const run = await missed(release, 3);
    await vi.waitFor(
      async () => {
        const report = await reportOf(release);
        expect(report?.underWay).toMatchObject({ stage: 'deployment' });
        expect(report?.underWay?.lines.join(' ')).toContain('The freeze "sale" is on until');
      },
      { timeout: 80_000, interval: 500 },
    );
    expect(await imageOf()).toBe('app:1');
    expect(await endOf(release, run)).toMatchObject({ version: 'v1.1.0', environment: 'production' });
    expect(Date.now()).toBeGreaterThan(until);
    expect(await imageOf()).toBe('app:2');
    expect((await reportOf(release))?.last.map(({ event }) => event)).toEqual(['departed', 'held', 'arrived']);
  });

  test('that arrives unhealthy is put back, and says so', async ({ release }) => {
    await ready(release, 'v1.2.0', {
      '.longhaul/environments.yaml': environments(),
      'k8s/api.yaml': api('app:3-crash'),
    });
    const run = await missed(release, 2);
    await expect(endOf(release, run)).rejects.toThrow('Workflow execution failed');
    expect(await imageOf()).toBe('app:2');
    const status = await release.longhaul('train', 'status');
    expect(status.stdout).toMatch(/ {2}departed at \S+, v1\.2\.0\n {2}failed at /);
    expect(status.stdout).toMatch(new RegExp(`failed at \\S+, v1\\.2\\.0, .*(?:${CRASHES.source})`, 'u'));
    expect(git(release.remote, 'tag', '--list', 'v1.2.0')).toBe('v1.2.0');
  });
});
