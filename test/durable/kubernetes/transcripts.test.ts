import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn } from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';
import { FULL_CI, openScene, play, prepare, type Scene } from '../../support/release/scene.ts';
import { generation, tagsOf } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], candidates: true } } },
  pipelines: { network: true },
});

const transcript = (name: string): string => fileURLToPath(new URL(`transcripts/${name}.txt`, import.meta.url));

/** Two environments of a repository: each is a namespace that begins with its name. */
function environments(name: string, more = ''): string {
  const environment = (env: string): string => `
  - name: ${env}
    context: test
    namespace: ${name}-${env}
    watch: 2s
    services: {app: {manifests: {folder: k8s}, ready: 60s${more}}}
`;
  return `environments:${environment('staging')}${environment('production')}`;
}

/** Two pods, and the service in front of them. */
const app = (image: string): string => `apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: "${image}"}]}
`;

/** Makes a release of the only change of a generation, and brings it into both environments. */
const released = (version: string, change: string, image: string): string => `
mkdir -p .gryt/generations
cat > .gryt/generations/${version}.yaml <<'END'
${generation(version, [change])}END
sed -i 's/"myapp.*"/"${image}"/' k8s/app.yaml
git add .
git commit --quiet -m "feat: it [${change}]"
longhaul evolution start ${version} --change ${change}
longhaul run full-ci
git push --quiet
longhaul generation promote ${version}
longhaul deploy ${version} --env staging
longhaul deploy ${version} --env production
`;

/** Delivers continuously: a release candidate is what has passed the end-to-end tests in staging. */
const CD_PIPELINE = `name: cd-pipeline
jobs:
  test: {steps: [{name: unit-tests, command: 'sh test.sh'}]}
  build:
    needs: [test]
    outputs: [IMAGE]
    steps: [{name: build, command: 'echo "IMAGE=myapp@sha256:$(cat src/*.sh | sha256sum | cut -c 1-64)" >> "$LONGHAUL_OUTPUT"'}]
  staging: {needs: [build], deploy: staging}
  e2e: {needs: [staging], network: true, steps: [{name: e2e-tests, command: 'sh e2e.sh'}]}
`;

/** Asks the service in staging which image answers: the one that was built. */
const e2e = (address: string): string => `set -eu
curl --fail --silent --show-error ${address} | grep --fixed-strings "$(cat src/*.sh | sha256sum | cut -c 1-64)"
`;

describe('the transcript of', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  async function open(
    release: Release,
    name: string,
    { files, image = 'myapp:v0.0.0' }: { readonly files: Readonly<Record<string, string>>; readonly image?: string },
  ): Promise<Scene> {
    for (const env of ['staging', 'production']) await cluster.kubectl(['create', 'namespace', `${name}-${env}`]);
    return openScene(release, name, { files: { 'k8s/app.yaml': app(image), ...files }, variables: cluster.env });
  }

  /** The images of an environment's pods, each as often as it has ready pods; by the cluster. */
  async function ready(namespace: string): Promise<readonly string[]> {
    const { items } = await cluster.get<{
      readonly items: readonly {
        readonly spec: { readonly containers: readonly { readonly image: string }[] };
        readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
      }[];
    }>('pods', '--namespace', namespace);
    return items
      .filter(({ status }) => status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
      .flatMap(({ spec }) => spec.containers.map(({ image }) => image));
  }

  test('an urgent repair, from its issue to healthy pods in production', async ({ release }) => {
    const scene = await open(release, 'pool', {
      files: { '.gryt/pipelines/full-ci.yaml': FULL_CI, '.gryt/environments.yaml': environments('pool') },
    });
    await prepare(scene, released('v2.3.0', 'FEAT-1', 'myapp:v2.3.0'));
    await play(release, scene, transcript('hotfix'));
    expect([await ready('pool-staging'), await ready('pool-production')]).toEqual([
      ['myapp:v2.3.0', 'myapp:v2.3.0'],
      ['myapp:v2.3.1', 'myapp:v2.3.1'],
    ]);
    expect(git(scene.remote, 'rev-parse', 'v2.3.1^{commit}')).toBe(git(scene.folder, 'rev-parse', 'HEAD'));
    release.replayed(`deployment/${scene.repository}/production/v2.3.1`);
  });

  test('commits that go to staging each day, and into production on Friday', async ({ release }) => {
    const files = {
      '.gryt/pipelines/cd-pipeline.yaml': CD_PIPELINE,
      '.gryt/environments.yaml': environments('cd', ', images: {myapp: {job: build, output: IMAGE}}'),
      'e2e.sh': e2e(`${cluster.service ?? ''}/cd-staging/app/`),
      'src/latency.sh': 'cache=no\n',
    };
    const scene = await open(release, 'cd', { files, image: 'myapp' });
    await play(release, scene, transcript('delivery'));
    const [image = '', ...others] = await ready('cd-production');
    expect(image).toMatch(/^myapp@sha256:[0-9a-f]{64}$/);
    expect(others).toEqual([image]);
    expect(await ready('cd-staging')).toEqual([image, image]);
    expect(tagsOf(scene.remote)).toEqual(['v4.1.0', 'v4.1.0-rc.1', 'v4.1.0-rc.2']);
    release.replayed(`deployment/${scene.repository}/production/v4.1.0`);
  });

  test('a release that is taken back, its urgent repair, and its second promotion', async ({ release }) => {
    const scene = await open(release, 'cache', {
      files: { '.gryt/pipelines/full-ci.yaml': FULL_CI, '.gryt/environments.yaml': environments('cache') },
    });
    await prepare(scene, released('v5.9.0', 'FEAT-59', 'myapp:v5.9.0'));
    // ready, and out of memory after a while
    await prepare(scene, released('v6.0.0', 'FEAT-60', 'myapp:v6.0.0-restarts10m'));
    await play(release, scene, transcript('recovery'));
    expect(await ready('cache-production')).toEqual(['myapp:v6.0.0', 'myapp:v6.0.0']);
    expect(git(scene.remote, 'rev-parse', 'v6.0.0^{commit}')).toBe(git(scene.folder, 'rev-parse', 'main'));
    release.replayed(`recovery/${scene.repository}/production/v6.0.0`);
  });
});
