import { afterAll, beforeAll, describe, expect } from 'vitest';
import { auditedWrites } from '../../support/kubernetes/audit-log.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { jobOf, type Manifest, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { holdingKubectl } from '../../support/release/holding-kubectl.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const LOCK = 'deploy/local/acme/api/staging';
const place = clusterFolder();
const held = holdingKubectl(place.folder);
const test = releaseTest({
  deploy: {
    kubectl: held.program,
    kubeconfig: place.kubeconfig,
    contexts: { test: { repositories: ['local/acme/*'] } },
  },
});

function environments(more = ''): string {
  return `
environments:
  - name: staging
    context: test
    namespace: shop
    watch: 1s
${more}
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s}
      web: {manifests: {folder: k8s/web}, ready: 60s, needs: [api]}
`;
}

const settings = (mode: string, name = 'settings'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode, color: 'red' },
});

interface Workload {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly replicas: number;
    readonly minReadySeconds?: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

describe('a deployment where others work, too', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  const kubectl = (...args: readonly string[]): Promise<string> => cluster.kubectl(['-n', 'shop', ...args]);
  const mode = (name: string): Promise<string> => kubectl('get', `configmap/${name}`, '-o', 'jsonpath={.data.mode}');
  const found = async (name: string) => {
    const { metadata, spec } = await cluster.get<Workload>(`deployment/${name}`, '-n', 'shop');
    const { replicas, minReadySeconds, template } = spec;
    return { image: template.spec.containers[0]?.image, tier: metadata.labels?.['tier'], replicas, minReadySeconds };
  };

  test('leaves to them what is theirs, when it stays and when it is undone, and says so', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(),
      ...manifestsIn('k8s/api', settings('one'), workload('Deployment', 'api', 'api:1')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:1')),
    });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    await kubectl('scale', 'deployment/api', '--replicas=3');
    await kubectl('label', 'deployment/api', 'tier=silver');
    const theirs = { ...workload('Deployment', 'api', 'api:1'), spec: { minReadySeconds: 1 } };
    await cluster.apply(theirs, '--server-side', '--field-manager=other', '-n', 'shop');
    await kubectl('autoscale', 'deployment/web', '--min=2', '--max=4', '--cpu-percent=80');
    await expect.poll(async () => (await found('web')).replicas, { timeout: 60_000 }).toBe(2);

    await releasedAs(release, 'v1.1.0', {
      ...manifestsIn('k8s/api', settings('two'), workload('Deployment', 'api', 'api:2')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:2')),
    });
    release.faults.arm({
      activity: 'awaitReady',
      kind: 'is reached',
      onReached: async () => void (await kubectl('scale', 'deployment/api', '--replicas=7')),
    });
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    release.faults.arm(null);
    expect(await found('api')).toEqual({ image: 'api:2', tier: 'silver', replicas: 7, minReadySeconds: 1 });
    expect(await found('web')).toMatchObject({ image: 'web:2', replicas: 2 });

    await releasedAs(release, 'v1.2.0', {
      ...manifestsIn('k8s/api', settings('three'), settings('new', 'extra'), workload('Deployment', 'api', 'api:3')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:3-crash')),
    });
    release.faults.arm({
      activity: 'undoObjects',
      kind: 'is reached',
      async onReached() {
        await kubectl('scale', 'deployment/api', '--replicas=5');
        await kubectl('label', '--overwrite', 'deployment/api', 'tier=gold');
        const patch = JSON.stringify({ data: { mode: 'theirs' } });
        await kubectl('patch', 'configmap/settings', '--type=merge', '--field-manager=other', '-p', patch);
      },
    });
    const undone = await release.longhaul('deploy', 'v1.2.0', '--env', 'staging');
    release.faults.arm(null);
    expect(undone).toMatchObject({ exitCode: 11, stderr: expect.stringMatching(CRASHES) as string });
    expect(await found('api')).toEqual({ image: 'api:2', tier: 'gold', replicas: 5, minReadySeconds: 1 });
    expect(await found('web')).toMatchObject({ image: 'web:2', replicas: 2 });
    expect(await mode('settings')).toBe('theirs');
    expect(await kubectl('get', 'configmaps', '-o', 'name')).not.toContain('extra');
    const [deployment] = (await deploymentsIn(release, 'staging')).toReversed();
    const shown = await release.longhaul('deployments', 'show', deployment?.id ?? '');
    expect(shown.stdout.match(/\S+ was changed by another/g)).toEqual(['data.mode was changed by another']);
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0'])
      release.replayed(`deployment/local/acme/api/staging/${version}`);
  });

  test('is refused before the first change when it needs a field of another, with its owner', async ({ release }) => {
    const api = workload('Deployment', 'api', 'api:3', { minReadySeconds: 5 });
    const needed = { ...api, metadata: { ...api.metadata, labels: { tier: 'bronze' } } };
    await releasedAs(release, 'v1.3.0', manifestsIn('k8s/api', needed));
    const before = await dumpOf(cluster);
    const refused = await release.longhaul('deploy', 'v1.3.0', '--env', 'staging');
    expect([refused.exitCode, refused.stderr]).toEqual([9, expect.stringContaining('deployment.apps/api in shop')]);
    expect(refused.stderr).toContain('.metadata.labels.tier (kubectl-label)');
    expect(refused.stderr).toContain('.spec.minReadySeconds (other)');
    expect(await dumpOf(cluster)).toEqual(before);
    expect((await deploymentsIn(release, 'staging')).at(-1)).toMatchObject({ version: 'v1.3.0', status: 'refused' });
  });

  test('neither takes nor deletes an object that another creates after the plan', async ({ release }) => {
    await releasedAs(release, 'v1.4.0', {
      '.longhaul/environments.yaml': environments('    approvals: {needed: 1, from: [bob]}'),
      ...manifestsIn('k8s/api', workload('Deployment', 'api', 'api:4'), settings('ours', 'extra')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:2')),
    });
    // while people decide: the plan is made again
    const asked = release.longhaul('deploy', 'v1.4.0', '--env', 'staging');
    const gate = await openGate(release);
    await kubectl('create', 'configmap', 'extra', '--from-literal=mode=theirs');
    expect(await release.longhaul('approve', gate.id, '--why', 'looked at it')).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await asked;
    expect([exitCode, stderr]).toEqual([9, expect.stringContaining('configmap/extra in shop')]);
    expect(stderr).toContain('fields that another owns: .data.mode (kubectl-create)');
    expect(await mode('extra')).toBe('theirs');
    await kubectl('delete', 'configmap/extra');

    // when it is about to be applied
    const before = await dumpOf(cluster);
    release.faults.arm({
      activity: 'startDeployment',
      kind: 'is reached',
      onReached: async () => void (await kubectl('create', 'configmap', 'extra', '--from-literal=mode=theirs')),
    });
    const again = release.longhaul('deploy', 'v1.4.0', '--env', 'staging');
    await release.longhaul('approve', (await openGate(release)).id, '--why', 'looked at it again');
    const ended = await again;
    release.faults.arm(null);
    expect(ended.stderr).toContain('configmap/extra in shop was created by another since the plan was made');
    expect(ended.exitCode).toBe(1);
    expect(await mode('extra')).toBe('theirs');
    await kubectl('delete', 'configmap/extra');
    expect(await dumpOf(cluster)).toEqual(before);
  });

  test('creates again what it deleted as others had changed it, and not what others have deleted', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.5.0', {
      '.longhaul/environments.yaml': environments(),
      ...manifestsIn(
        'k8s/api',
        workload('Deployment', 'api', 'api:5'),
        settings('five', 'mine'),
        settings('old', 'extra'),
      ),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:2')),
    });
    expect(await release.longhaul('deploy', 'v1.5.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v1.6.0', {
      // long enough to be cancelled in
      '.longhaul/environments.yaml': environments().replaceAll('watch: 1s', 'watch: 10s'),
      ...manifestsIn('k8s/api', workload('Deployment', 'api', 'api:6'), settings('six', 'mine')),
    });
    let before: unknown;
    release.faults.arm({
      activity: 'startDeployment',
      kind: 'is reached',
      async onReached() {
        await kubectl('label', 'configmap/extra', 'tier=gold');
        before = await dumpOf(cluster);
        release.faults.arm({
          activity: 'watchDeployment',
          kind: 'is reached',
          onReached: async () => void (await release.client.workflow.getHandle(LOCK).cancel()),
        });
      },
    });
    const cancelled = await release.longhaul('deploy', 'v1.6.0', '--env', 'staging');
    release.faults.arm(null);
    expect(cancelled.exitCode).not.toBe(0);
    expect(await kubectl('get', 'configmap/extra', '-o', 'jsonpath={.metadata.labels.tier}')).toBe('gold');
    expect(await dumpOf(cluster)).toEqual(before);

    release.faults.arm({
      activity: 'startDeployment',
      kind: 'is reached',
      onReached: async () => void (await kubectl('delete', 'configmap/mine')),
    });
    const ended = await release.longhaul('deploy', 'v1.6.0', '--env', 'staging');
    release.faults.arm(null);
    expect(ended.stderr).toContain('configmap/mine in shop was deleted by another since the plan was made');
    expect(ended.exitCode).toBe(1);
    expect(await kubectl('get', 'configmaps', '-o', 'name')).not.toContain('configmap/mine');
  });

  test('is ready when the cluster has removed a Job that has ended', async ({ release }) => {
    const job = jobOf('migrate', 'migrate:1.0.0');
    const removed = { ...job, spec: { ...(job['spec'] as object), ttlSecondsAfterFinished: 0 } };
    await releasedAs(release, 'v1.7.0', {
      // one look at it during the watch decides
      '.longhaul/environments.yaml': environments('    failed_checks: 1'),
      ...manifestsIn('k8s/api', removed, workload('Deployment', 'api', 'api:7')),
    });
    const gone = async (): Promise<void> => {
      await kubectl('wait', '--for=delete', 'job/migrate', '--timeout=60s');
    };
    release.faults.arm({ activity: 'awaitReady', kind: 'is reached', onReached: gone });
    expect(await release.longhaul('deploy', 'v1.7.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    release.faults.arm(null);
  });

  test('ends when others have deleted meanwhile what it would put back', async ({ release }) => {
    await releasedAs(release, 'v1.8.0', {
      ...manifestsIn('k8s/api', workload('Deployment', 'api', 'api:8')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:8-crash')),
    });
    release.faults.arm({
      activity: 'undoObjects',
      kind: 'is reached',
      onReached: async () => void (await kubectl('delete', '--ignore-not-found', 'deployment/api')),
    });
    const undone = await release.longhaul('deploy', 'v1.8.0', '--env', 'staging');
    release.faults.arm(null);
    expect(undone).toMatchObject({ exitCode: 11, stderr: expect.stringMatching(CRASHES) as string });
    expect(await found('web')).toMatchObject({ image: 'web:2' });
    expect(await kubectl('get', 'deployments', '-o', 'name')).not.toContain('/api');
    const [deployment] = (await deploymentsIn(release, 'staging')).toReversed();
    expect(deployment).toMatchObject({ version: 'v1.8.0', status: 'undone' });
  });

  /** Lets the next attempt of an activity be given up when it has read objects, before it writes any. It goes on later. */
  function giveUpNext({ faults }: Release, activity: string): Promise<{ readonly end: Promise<unknown> }> {
    return new Promise((resolve) => {
      faults.arm({
        activity,
        kind: 'is given up',
        async onGivenUp(end) {
          faults.arm(null);
          resolve({ end: end.catch((error: unknown) => error) });
          await held.holdNextRead();
        },
      });
    });
  }

  const writes = async () =>
    (await auditedWrites(cluster.auditLog ?? '')).filter(({ user, isDryRun }) => user === 'admin' && !isDryRun);

  test('writes nothing in attempts that were given up and go on when others have done their work', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.9.0', {
      '.longhaul/environments.yaml': environments(),
      ...manifestsIn('k8s/api', settings('nine'), workload('Deployment', 'api', 'api:9')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:9')),
    });
    expect(await release.longhaul('deploy', 'v1.9.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    const before = await dumpOf(cluster);
    await releasedAs(release, 'v1.10.0', {
      ...manifestsIn('k8s/api', settings('ten'), settings('new', 'extra'), workload('Deployment', 'api', 'api:10')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:10-crash')),
    });
    const undone = release.longhaul('deploy', 'v1.10.0', '--env', 'staging');
    const [applying, undoing] = [await giveUpNext(release, 'applyService'), await giveUpNext(release, 'undoObjects')];
    expect(await undone).toMatchObject({ exitCode: 11, stderr: expect.stringMatching(CRASHES) as string });
    expect(await dumpOf(cluster)).toEqual(before);
    await releasedAs(release, 'v1.11.0', {
      ...manifestsIn('k8s/api', settings('eleven'), workload('Deployment', 'api', 'api:11')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:11')),
    });
    expect(await release.longhaul('deploy', 'v1.11.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    const [after, made] = [await dumpOf(cluster), await writes()];
    held.letGo();
    const ends = [await applying.end, await undoing.end];
    expect((await writes()).slice(made.length)).toEqual([]);
    expect(await dumpOf(cluster)).toEqual(after);
    expect(ends).toMatchObject([{ type: 'StepTakenOver' }, { type: 'StepTakenOver' }]);
    for (const version of ['v1.9.0', 'v1.10.0', 'v1.11.0'])
      release.replayed(`deployment/local/acme/api/staging/${version}`);
  });
});
