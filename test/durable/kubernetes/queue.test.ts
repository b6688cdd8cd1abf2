import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

const VERSIONS = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0'] as const;
const HELD = 'approvals: {needed: 1, from: [bob]}';

function environments(): string {
  const environment = (name: string, more: string): string => `
  - name: ${name}
    context: test
    namespace: ${name}
    watch: 1s
    ${more}
    services: {api: {manifests: {folder: k8s/${name}}, ready: 10m}}
`;
  return `environments:${[
    environment('waits', HELD),
    environment('refuses', `concurrency: refuse\n    ${HELD}`),
    environment('replaces', 'concurrency: replace'),
    environment('ended', 'concurrency: wait'),
    environment('authors', 'approvals: {needed: 1, from: [bob], exclude_authors: true}'),
  ].join('')}`;
}

const settings = (name: string, version: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { version },
});

describe('deployments to one environment', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    for (const name of ['waits', 'refuses', 'replaces', 'ended', 'authors'])
      await cluster.kubectl(['create', 'namespace', name]);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  test('take turns in the order in which they came; one that was terminated is left out', async ({ release }) => {
    for (const [at, version] of VERSIONS.entries()) {
      const never = (isStuck: boolean) => workload('Deployment', 'api', `api:${at}${isStuck ? '-never' : ''}`);
      await releasedAs(release, version, {
        '.longhaul/environments.yaml': environments(),
        ...manifestsIn('k8s/waits', settings('settings', version)),
        ...manifestsIn('k8s/refuses', settings('settings', version)),
        ...manifestsIn(
          'k8s/replaces',
          settings(`only-in-${version.replaceAll('.', '-')}`, version),
          never(at === 1 || at === 2),
        ),
        ...manifestsIn('k8s/ended', ...(at === 1 ? [settings('extra', version)] : []), never(at === 1)),
      });
    }
    const asked = await startAll(release, 'waits');
    await vi.waitFor(
      async () => {
        const { stdout } = await release.longhaul('deployments', 'list', '--env', 'waits');
        const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/u));
        expect(rows.filter(([status]) => status === 'waiting').map(([, , version]) => version)).toEqual([
          'v1.3.0',
          'v1.2.0',
          'v1.1.0',
        ]);
        expect(rows.filter(([, , version]) => version === 'v1.0.0').map((row) => row[3])).toEqual(['planned']);
      },
      { timeout: 60_000, interval: 500 },
    );
    await release.client.workflow.getHandle('deployment/local/acme/api/waits/v1.1.0').terminate('by the test');
    for (const version of ['v1.0.0', 'v1.2.0', 'v1.3.0'] as const) {
      const gate = await openGate(release);
      expect((await deploymentsIn(release, 'waits')).at(-1)).toMatchObject({ version, status: 'planned' });
      await release.longhaul('approve', gate.id, '--why', `${version} is next`);
      expect(await asked[VERSIONS.indexOf(version)]).toMatchObject({ exitCode: 0 });
      expect(
        await cluster.kubectl(['get', 'configmap/settings', '-n', 'waits', '-o', 'jsonpath={.data.version}']),
      ).toBe(version);
    }
    expect((await asked[1])?.exitCode).not.toBe(0);
    expect((await deploymentsIn(release, 'waits')).map(({ version, status }) => [version, status])).toEqual([
      ['v1.0.0', 'deployed'],
      ['v1.2.0', 'deployed'],
      ['v1.3.0', 'deployed'],
    ]);
    for (const version of ['v1.0.0', 'v1.2.0', 'v1.3.0'])
      release.replayed(`deployment/local/acme/api/waits/${version}`);
  });

  /** Starts the deployments of all versions, each when the one before it has the lock, or waits for it. */
  async function startAll(release: Release, environment: string) {
    const asked = [];
    for (const [at, version] of VERSIONS.entries()) {
      asked.push(release.longhaul('deploy', version, '--env', environment));
      if (at === 0) await openGate(release);
      else await untilWaiting(release, environment, at);
    }
    return asked;
  }

  /** Waits until the run that has the lock knows so many that wait. */
  async function untilWaiting({ client }: Release, environment: string, count: number): Promise<void> {
    await vi.waitFor(
      async () => {
        const { events } = await client.workflow.getHandle(`deploy/local/acme/api/${environment}`).fetchHistory();
        const signals = (events ?? []).filter(
          (event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'waiting',
        );
        if (signals.length < count) throw new Error(`${signals.length} of ${count} wait`);
      },
      { timeout: 60_000, interval: 200 },
    );
  }

  test('are refused while another is at work, where the environment says so', async ({ release }) => {
    const first = release.longhaul('deploy', 'v1.0.0', '--env', 'refuses');
    const gate = await openGate(release);
    for (const version of VERSIONS.slice(1)) {
      const busy = await release.longhaul('deploy', version, '--env', 'refuses');
      expect([busy.exitCode, busy.stderr]).toEqual([
        1,
        expect.stringContaining('Another deployment to refuses is at work.') as string,
      ]);
    }
    await release.longhaul('approve', gate.id, '--why', 'the first one');
    expect(await first).toMatchObject({ exitCode: 0 });
    expect((await deploymentsIn(release, 'refuses')).map(({ version }) => version)).toEqual(['v1.0.0']);
  });

  test('take the place of the running one, which is put back first, where the environment says so', async ({
    release,
  }) => {
    const get = (): Promise<string> => cluster.kubectl(['get', 'configmaps', '-n', 'replaces', '-o', 'name']);
    const asked = [];
    for (const [at, version] of VERSIONS.entries()) {
      asked.push(release.longhaul('deploy', version, '--env', 'replaces'));
      if (at === 0) await asked[0];
      else await expect.poll(get, { timeout: 60_000 }).toContain(`only-in-${version.replaceAll('.', '-')}`);
    }
    const [first, second, third, fourth] = await Promise.all(asked);
    expect([first?.exitCode, fourth?.exitCode]).toEqual([0, 0]);
    for (const replaced of [second, third]) {
      expect(replaced?.stderr).toContain('A newer deployment to replaces has taken the place of this one.');
    }
    expect(await get()).toMatch(/^configmap\/kube-root-ca.crt\s+configmap\/only-in-v1-3-0\s*$/u);
    const events = await release.ledger.sql<{ event_type: string; version: string }>(
      `SELECT event_type, details_json->>'version' AS version FROM audit_events
       WHERE resource_id = 'replaces' AND event_type LIKE 'deployment.%' ORDER BY event_id`,
    );
    expect(events.map(({ event_type: type, version }) => `${type} ${version}`)).toEqual([
      'deployment.started v1.0.0',
      'deployment.deployed v1.0.0',
      'deployment.started v1.1.0',
      'deployment.undone v1.1.0',
      'deployment.started v1.2.0',
      'deployment.undone v1.2.0',
      'deployment.started v1.3.0',
      'deployment.deployed v1.3.0',
    ]);
    for (const version of VERSIONS) release.replayed(`deployment/local/acme/api/replaces/${version}`);
  });

  test('go on when the one at work was terminated; what it made is deleted, or becomes theirs', async ({ release }) => {
    const objects = (): Promise<string> =>
      cluster.kubectl(['get', 'configmaps,deployments', '-n', 'ended', '-o', 'name']);
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'ended')).toMatchObject({ exitCode: 0 });
    const stuck = release.longhaul('deploy', 'v1.1.0', '--env', 'ended');
    await expect.poll(objects, { timeout: 60_000 }).toContain('extra');
    const next = release.longhaul('deploy', 'v1.2.0', '--env', 'ended');
    await untilWaiting(release, 'ended', 1);
    await release.client.workflow.getHandle('deploy/local/acme/api/ended').terminate('by the test');
    expect((await stuck).exitCode).not.toBe(0);
    expect(await next).toMatchObject({ exitCode: 0 });
    expect(await objects()).not.toContain('extra');
    const image = 'jsonpath={.spec.template.spec.containers[0].image}';
    expect(await cluster.kubectl(['get', 'deployment/api', '-n', 'ended', '-o', image])).toBe('api:2');
    expect((await deploymentsIn(release, 'ended')).map(({ version, status }) => [version, status])).toEqual([
      ['v1.0.0', 'deployed'],
      ['v1.1.0', 'deploying'],
      ['v1.2.0', 'deployed'],
    ]);
  });

  test('are approved by none of those who wrote what is new at their turn', async ({ release }) => {
    for (const [version, author] of [
      ['v2.0.0', 'ann'],
      ['v2.1.0', 'carol'],
      ['v2.2.0', 'dave'],
      ['v2.3.0', 'erin'],
    ] as const) {
      const files = manifestsIn('k8s/authors', settings('settings', version));
      await releasedAs(release, version, { '.longhaul/environments.yaml': environments(), ...files }, author);
    }
    /** Decides the gate of a version; returns who of these may not. */
    const decide = async (version: string, verdict: 'approve' | 'reject'): Promise<readonly string[]> => {
      const gate = await openGate(release);
      expect((await deploymentsIn(release, 'authors')).at(-1)).toMatchObject({ version, status: 'planned' });
      const [row] = await release.ledger.sql<{ readonly excluded: readonly string[] }>(
        'SELECT excluded FROM longhaul.gates WHERE gate_id = $1',
        [gate.id],
      );
      await release.longhaul(verdict, gate.id, '--why', `${version} is next`);
      return ['ann', 'carol', 'dave', 'erin'].filter((name) => row?.excluded.some((each) => each.includes(name)));
    };
    const first = release.longhaul('deploy', 'v2.0.0', '--env', 'authors');
    expect(await decide('v2.0.0', 'approve')).toEqual(['ann']);
    expect(await first).toMatchObject({ exitCode: 0 });
    const second = release.longhaul('deploy', 'v2.1.0', '--env', 'authors');
    await openGate(release);
    const third = release.longhaul('deploy', 'v2.2.0', '--env', 'authors');
    await untilWaiting(release, 'authors', 1);
    const fourth = release.longhaul('deploy', 'v2.3.0', '--env', 'authors');
    await untilWaiting(release, 'authors', 2);
    expect(await decide('v2.1.0', 'approve')).toEqual(['carol']);
    expect(await second).toMatchObject({ exitCode: 0 });
    // the environment has carol's change now; dave's it does not get, so it is new with the next one
    expect(await decide('v2.2.0', 'reject')).toEqual(['dave']);
    expect((await third).exitCode).not.toBe(0);
    expect(await decide('v2.3.0', 'approve')).toEqual(['dave', 'erin']);
    expect(await fourth).toMatchObject({ exitCode: 0 });
    for (const at of [0, 1, 2, 3]) release.replayed(`deployment/local/acme/api/authors/v2.${at}.0`);
  });
});
