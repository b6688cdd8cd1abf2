import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn, dumpOf, releasedAs } from '../../support/release/deployments.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';
import { releaseTest } from '../../support/release/releases.ts';
import { commit, write } from '../../support/release/work.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: {
    kubeconfig: place.kubeconfig,
    contexts: {
      test: { repositories: ['local/acme/*'], candidates: true },
      strict: { repositories: ['local/acme/*'] },
    },
  },
});

const ENVIRONMENTS = `
environments:
  - name: staging
    context: test
    namespace: shop
    watch: 3s
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s}
`;

function api(image: string, mode: string): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: ${mode}}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter-${mode}-hunter}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: "${image}"}]}
`;
}

describe('longhaul deploy', { timeout: 180_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  test('deploys a release, and puts back exactly what was there when the next one is not healthy', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': ENVIRONMENTS,
      'k8s/api/all.yaml': api('app:1', 'one'),
    });
    const plan = await release.longhaul('deploy', 'v1.0.0', '--env', 'staging', '--dry-run');
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(plan.stdout).toContain('3 are created, 0 changed, 0 deleted');
    expect(plan.stdout).not.toContain('hunter');
    expect(await cluster.kubectl(['get', 'configmaps,deployments', '-n', 'shop', '-o', 'name'])).not.toContain(
      'settings',
    );

    const first = await release.longhaul('deploy', 'v1.0.0', '--env', 'staging');
    expect(first).toMatchObject({ exitCode: 0 });
    const deployed = await cluster.get<{ readonly status: { readonly readyReplicas: number } }>(
      'deployment/api',
      '-n',
      'shop',
    );
    expect(deployed.status.readyReplicas).toBe(1);
    const before = await dumpOf(cluster);

    write(release.clone, {
      'k8s/api/all.yaml': `${api('app:2-crash', 'two')}---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
`,
    });
    const asking = ENVIRONMENTS.replace('ready: 60s', "ready: 60s, hooks: {before: [{name: migrate, run: ['true']}]}");
    await releasedAs(release, 'v1.0.9', { '.longhaul/environments.yaml': asking });
    const hint = 'The hook migrate of api asks for a network, and the worker allows none';
    expect((await release.longhaul('deploy', 'v1.0.9', '--env', 'staging', '--dry-run')).stdout).toContain(hint);
    const refused = await release.longhaul('deploy', 'v1.0.9', '--env', 'staging');
    expect(refused.exitCode).toBe(9);
    expect(refused.stderr).toContain(hint);
    expect(await dumpOf(cluster)).toEqual(before);
    await releasedAs(release, 'v1.1.0', { '.longhaul/environments.yaml': ENVIRONMENTS });

    const forge = await startDescribedPlace('github');
    release.forge.place = forge;
    const issue = await forge.addIssue();
    const second = await release.longhaul('deploy', 'v1.1.0', '--env', 'staging', '--issue', String(issue));
    release.forge.place = null;
    expect(await forge.comments(issue)).toEqual([
      expect.objectContaining({ body: expect.stringContaining('v1.1.0 was rolled back in staging.') as string }),
    ]);
    expect(forge.violations).toEqual([]);
    expect(second.stderr).toMatch(CRASHES);
    expect(second.exitCode).toBe(11);
    expect(await dumpOf(cluster)).toEqual(before);

    const list = await release.longhaul('deployments', 'list', '--json');
    expect(
      (JSON.parse(list.stdout) as { status: string; version: string }[]).map(({ version, status }) => [
        version,
        status,
      ]),
    ).toEqual([
      ['v1.1.0', 'undone'],
      ['v1.0.9', 'refused'],
      ['v1.0.0', 'deployed'],
    ]);
    const events = await release.ledger.sql(
      `SELECT event_type FROM longhaul.audit_events WHERE event_type LIKE 'deployment.%' ORDER BY event_id`,
    );
    expect(events.map((event) => (event as { event_type: string }).event_type)).toEqual([
      'deployment.started',
      'deployment.deployed',
      'deployment.refused',
      'deployment.started',
      'deployment.undone',
    ]);
    const evidence = await release.ledger.sql<{ digest: string; said: string | null }>(
      `SELECT e.digest, a.details_json->>'evidence' AS said FROM longhaul.evidence e
       JOIN longhaul.audit_events a ON a.details_json->>'deployment' = split_part(e.subject, ' ', 2)
       WHERE e.kind = 'deployment' AND a.event_type IN ('deployment.undone', 'deployment.deployed') ORDER BY a.event_id`,
    );
    expect(evidence).toHaveLength(2);
    const kept = await release.longhaul('blob', 'get', evidence[1]?.digest ?? '');
    const shown = await release.longhaul(
      'deployments',
      'show',
      (JSON.parse(kept.stdout) as { readonly id: string }).id,
      '--json',
    );
    expect(JSON.parse(kept.stdout)).toEqual(JSON.parse(shown.stdout));
    expect(JSON.parse(kept.stdout)).toMatchObject({ version: 'v1.1.0', status: 'undone' });
    expect(evidence.map(({ said }) => said)).toEqual(evidence.map(({ digest }) => digest));
    release.replayed('deployment/local/acme/api/staging/v1.1.0');
    release.replayed('deploy/local/acme/api/staging');
  });

  test('a pipeline deploys its commit, and an end-to-end test decides whether it stays', async ({ release }) => {
    const pipeline = (e2e: string): string => `name: cd
jobs:
  build: {steps: [{name: build, command: 'echo IMAGE=app@sha256:${'c'.repeat(64)} >> "$LONGHAUL_OUTPUT"'}], outputs: [IMAGE]}
  stage: {needs: [build], deploy: staging}
  e2e: {needs: [stage], steps: [{name: e2e, command: '${e2e}'}]}
`;
    const staged = ENVIRONMENTS.replace('ready: 60s', 'ready: 60s, images: {app: {job: build, output: IMAGE}}');
    write(release.clone, {
      '.longhaul/environments.yaml': staged,
      '.longhaul/pipelines/cd.yaml': pipeline('exit 3'),
      'k8s/api/all.yaml': api('app:3', 'three'),
    });
    commit(release.clone, 'feat: a pipeline that deploys');
    write(release.clone, { '.longhaul/environments.yaml': staged.replace('context: test', 'context: strict') });
    commit(release.clone, 'feat: where only releases may be');
    const refused = await release.longhaul('run', 'cd', '--json');
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('deploy.contexts.strict.candidates');
    write(release.clone, { '.longhaul/environments.yaml': staged });
    commit(release.clone, 'feat: to staging');
    const before = await dumpOf(cluster);
    const failed = await release.longhaul('run', 'cd');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout + failed.stderr).toContain('e2e');
    expect(await dumpOf(cluster)).toEqual(before);

    write(release.clone, { '.longhaul/pipelines/cd.yaml': pipeline('true') });
    const made = commit(release.clone, 'fix: the end-to-end test');
    expect(await release.longhaul('run', 'cd')).toMatchObject({ exitCode: 0 });
    const image = await cluster.kubectl(['get', 'deployment/api', '-n', 'shop', '-o', 'jsonpath={..image}']);
    expect(image).toBe(`app@sha256:${'c'.repeat(64)}`);
    const [last] = await release.ledger.sql<{ status: string; version: string }>(
      'SELECT status, version FROM longhaul.deployments ORDER BY sequence DESC LIMIT 1',
    );
    expect(last).toEqual({ status: 'deployed', version: made.slice(0, 12) });
    release.replayed(`pipeline/local/acme/api/cd/${made}`);
  });
});
