import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { releaseHotfixFlow } from '../../../domain/release/flows/hotfix-release-flow.ts';
import { FLOWS_QUEUE } from '../../../domain/shared/queues.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { workload } from '../../support/kubernetes/manifests.ts';
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
import { REPOSITORY, type Release, releaseTest } from '../../support/release/releases.ts';
import { commit, generation, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

const environment = (name: string, namespace: string): string => `
  - name: ${name}
    context: test
    namespace: ${namespace}
    watch: 3s
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s}
`;
const CONTRACTS = {
  '.longhaul/environments.yaml': `environments:${environment('staging', 'shop')}${environment('production', 'live')}`,
  '.longhaul/pipelines/full-ci.yaml': "name: full-ci\njobs:\n  unit: {steps: [{name: unit, command: 'test -d k8s'}]}\n",
};
const api = (image: string) => manifestsIn('k8s/api', workload('Deployment', 'api', image));

describe('a hotfix', { timeout: 300_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    await cluster.kubectl(['create', 'namespace', 'live']);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  /** The image and the number of ready pods, by the cluster. */
  const running = async (namespace: string): Promise<readonly [string, number]> => {
    const { spec, status } = await cluster.get<{
      readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } } };
      readonly status: { readonly readyReplicas?: number };
    }>('deployment/api', '-n', namespace);
    return [spec.template.spec.containers[0]?.image ?? '', status.readyReplicas ?? 0];
  };

  /** The person who writes the fix: on the branch of the hotfix, when a pending evolution waits for it. */
  async function fix(
    { clone, ledger, longhaul }: Release,
    { version, issue, image }: { readonly version: string; readonly issue: string; readonly image: string },
  ): Promise<string> {
    await vi.waitFor(
      async () =>
        expect(await ledger.sql("SELECT tag FROM evolutions WHERE status = 'pending'")).toEqual([
          { tag: `${version}-rc.1` },
        ]),
      { timeout: 60_000, interval: 500 },
    );
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'switch', '--quiet', `hotfix/${version}`);
    write(clone, api(image));
    const made = commit(clone, `fix: it [${issue}]`);
    expect(await longhaul('run', 'full-ci')).toMatchObject({ exitCode: 0 });
    return made;
  }

  test('goes from its issue to healthy pods in production, past staging', async ({ release }) => {
    const { chat, clone, client, ledger, longhaul, remote } = release;
    await releasedAs(release, 'v2.3.0', {
      ...CONTRACTS,
      '.longhaul/generations/v2.3.0.yaml': generation('v2.3.0', ['FEAT-1']),
      ...api('api:1'),
    });
    git(clone, 'tag', '-a', '-m', 'v2.3.0', 'v2.3.0');
    git(clone, 'push', '--quiet', 'origin', 'v2.3.0');
    for (const env of ['staging', 'production']) {
      expect(await longhaul('deploy', 'v2.3.0', '--env', env)).toMatchObject({ exitCode: 0 });
    }
    expect([await running('shop'), await running('live')]).toEqual([
      ['api:1', 1],
      ['api:1', 1],
    ]);

    // as the form of the Temporal UI starts it: any workflow id, and JSON
    const reason = 'orders are lost';
    const started = await client.workflow.start(releaseHotfixFlow.type, {
      workflowId: `by hand ${randomUUID()}`,
      taskQueue: FLOWS_QUEUE,
      args: [
        {
          repository: REPOSITORY,
          base: 'v2.3.0',
          issue: 'CRIT-500',
          title: 'Fix the leak',
          environment: 'production',
          reason,
          by: 'ada',
        },
      ],
    });
    const made = await fix(release, { version: 'v2.3.1', issue: 'CRIT-500', image: 'api:2' });
    expect(await started.result()).toMatchObject({
      version: 'v2.3.1',
      commit: made,
      published: expect.arrayContaining(['fix for the default branch: branch longhaul/merge-v2.3.1']) as unknown,
      problem: null,
    });
    expect([await running('shop'), await running('live')]).toEqual([
      ['api:1', 1],
      ['api:2', 1],
    ]);
    expect(git(remote, 'rev-parse', 'v2.3.1^{commit}', 'longhaul/merge-v2.3.1').split('\n')).toEqual([made, made]);

    // the reason, wherever it is looked for, and for everyone at the start
    const [row] = (await deploymentsIn(release, 'production')).toReversed();
    const shown = await longhaul('deployments', 'show', row?.id ?? '');
    expect(shown.stdout).toContain('\npast staging, because: orders are lost\n');
    const [event] = await ledger.sql(
      `SELECT actor, why, details_json->'passedOver' AS "passedOver" FROM audit_events
       WHERE event_type = 'deployment.started' AND details_json->>'deployment' = $1`,
      [row?.id],
    );
    expect(event).toEqual({ actor: 'ada', why: reason, passedOver: ['staging'] });
    expect(chat.said.filter(({ version }) => version === 'v2.3.1').map(({ event: what, why }) => [what, why])).toEqual([
      ['promoted', undefined],
      ['deployment started', 'past staging, because: orders are lost'],
    ]);
    for (const id of [`hotfix-release/${REPOSITORY}/production/v2.3.0/CRIT-500`, `deploy/${REPOSITORY}/production`])
      release.replayed(id);
  });

  test('that is not healthy is put back; it stays promoted, and the result says so', async ({ release }) => {
    const { chat, ledger, longhaul } = release;
    const before = await dumpOf(cluster);
    const whole = longhaul(
      'hotfix',
      'create',
      'v2.3.1',
      '--issue=CRIT-501',
      '--title=Fix the other leak',
      '--deploy=production',
      '--reason=orders are lost again',
    );
    const made = await fix(release, { version: 'v2.3.2', issue: 'CRIT-501', image: 'api:3-crash' });
    const { exitCode, stdout } = await whole;
    expect(exitCode).toBe(11);
    expect(stdout).toContain(`Hot-fix v2.3.2 of v2.3.1 for CRIT-501 is promoted at ${made.slice(0, 12)}.\n`);
    expect(stdout).toContain('It is not in production, which has what it had before: ');
    expect(stdout).toMatch(CRASHES);
    expect(stdout).toContain("longhaul deploy v2.3.2 --env production --reason 'orders are lost again'\n");
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await ledger.sql("SELECT status FROM generations WHERE version = 'v2.3.2'")).toEqual([
      { status: 'promoted' },
    ]);
    expect((await deploymentsIn(release, 'production')).map(({ version, status }) => [version, status])).toEqual([
      ['v2.3.0', 'deployed'],
      ['v2.3.1', 'deployed'],
      ['v2.3.2', 'undone'],
    ]);
    expect(chat.said.filter(({ version }) => version === 'v2.3.2').map(({ event }) => event)).toEqual([
      'promoted',
      'deployment started',
      'deployment rolled back',
    ]);
    release.replayed(`hotfix-release/${REPOSITORY}/production/v2.3.1/CRIT-501`);
  });

  test('follows a bad promotion: production first, then the generation, as people choose, then the hotfix', async ({
    release,
  }) => {
    const { clone, client, ledger, longhaul, remote } = release;
    git(clone, 'switch', '--quiet', 'main');
    await releasedAs(release, 'v6.0.0', api('api:6'));
    git(clone, 'tag', '-a', '-m', 'v6.0.0', 'v6.0.0');
    git(clone, 'push', '--quiet', 'origin', 'v6.0.0');
    const urgent = ['--env', 'production', '--reason', 'it was promised'] as const;
    expect(await longhaul('deploy', 'v6.0.0', ...urgent)).toMatchObject({ exitCode: 0 });
    expect(await running('live')).toEqual(['api:6', 1]);
    const status = async (version: string) =>
      (await ledger.sql<{ status: string }>('SELECT status FROM generations WHERE version = $1', [version]))[0]?.status;

    const whole = longhaul(
      'generation',
      'recover',
      'v6.0.0',
      '--env=production',
      '--why=leaks memory',
      '--issue=CRIT-600',
      '--title=Fix the memory leak',
    );
    const gate = await openGate(release);
    // nothing is decided yet, and production is healthy
    expect(gate.kind).toBe('withdrawal');
    expect(await running('live')).toEqual(['api:2', 1]);
    expect(await status('v6.0.0')).toBe('promoted');
    await longhaul('approve', gate.id, '--why', 'it leaks');
    const { exitCode, stdout } = await whole;
    const id = `hotfix-release/${REPOSITORY}/production/v2.3.1/CRIT-600`;
    expect([exitCode, stdout.replace(/show [0-9a-f-]{36}/, 'show ID')]).toEqual([
      0,
      `production is back at v2.3.1, healthy (longhaul deployments show ID).
Generation v6.0.0 withdrawn: it is a draft again. Its tag stays on the remote.
  tester: it leaks
The hot-fix of v2.3.1 is on its way: longhaul watch ${id}
`,
    ]);
    expect(await status('v6.0.0')).toBe('draft');
    await fix(release, { version: 'v2.3.3', issue: 'CRIT-600', image: 'api:7' });
    expect(await client.workflow.getHandle(id).result()).toMatchObject({ version: 'v2.3.3', problem: null });
    expect([await running('shop'), await running('live')]).toEqual([
      ['api:1', 1],
      ['api:7', 1],
    ]);
    expect(git(remote, 'tag', '--list', 'v6.0.0', 'v2.3.3').split('\n')).toEqual(['v2.3.3', 'v6.0.0']);
    const events = await ledger.sql<{ what: string; why: string | null }>(
      `SELECT event_type || ' ' || resource_id AS what, why FROM audit_events
       WHERE run_id IN (SELECT run_id FROM audit_events WHERE resource_id IN ('v6.0.0', 'production'))
         AND event_type IN ('generation.withdrawn', 'generation.recovered', 'deployment.started') ORDER BY event_id`,
    );
    expect(events.map(({ what, why }) => `${what}: ${why}`).slice(-4)).toEqual([
      'deployment.started production: leaks memory',
      'generation.withdrawn v6.0.0: leaks memory',
      'generation.recovered v6.0.0: leaks memory',
      'deployment.started production: leaks memory',
    ]);
    for (const run of [`recovery/${REPOSITORY}/production/v6.0.0`, id]) release.replayed(run);
  });
});
