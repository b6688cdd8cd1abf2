import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withMarks } from '../../../activities/release/deployment/compare-objects.ts';
import { readManifests, withImages } from '../../../activities/release/deployment/manifests.ts';
import { createSeal, newKeyFile, type Seal } from '../../../activities/release/deployment/sealed.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { podLabelsOf, selectorOf } from '../../../domain/kubernetes/selector.ts';
import { awayFrom, canaryOf, canaryService } from '../../../domain/release/deployment/canary.ts';
import { CLUSTER_BUILD_MS, kubectlProgram } from '../../support/kubernetes/programs.ts';
import { openValidator, type ValidateManifests } from '../../support/kubernetes/validator.ts';
import { renderOf } from '../../support/release/deployment-programs.ts';
import { type Jobs, openJobs } from '../../support/release/jobs.ts';

const CONFIGURATION = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {mode: "yes", opens: "12:30"}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: shop}
stringData: {password: horse}
`;
const WORKLOADS = `apiVersion: v1
kind: Service
metadata: {name: api}
spec: {clusterIP: None, selector: {app: api}, ports: [{port: 80, targetPort: web}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      initContainers: [{name: first, image: "registry.test/init:1"}]
      containers:
        - {name: app, image: registry.test/api, ports: [{name: web, containerPort: 8080}], envFrom: [{configMapRef: {name: settings}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: app, image: "db:1"}]}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: app, image: "agent:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "report:1"}]}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec: {defaultBackend: {service: {name: api, port: {number: 80}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: carts.shop.example}
spec:
  group: shop.example
  names: {kind: Cart, plural: carts}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`;
const FILES = {
  'k8s/base/kustomization.yaml': 'resources: [configuration.yaml, workloads.yaml]\n',
  'k8s/base/configuration.yaml': CONFIGURATION,
  'k8s/base/workloads.yaml': WORKLOADS,
  'k8s/staging/kustomization.yaml': `resources: [../base]
namePrefix: staging-
labels: [{pairs: {tier: staging}}]
images: [{name: agent, newTag: "7"}]
configMapGenerator: [{name: words, literals: [word=horse]}]
`,
  'plain/a.yaml': CONFIGURATION,
  'plain/b.yaml': WORKLOADS,
};
const KINDS = WORKLOADS.split('---').length + CONFIGURATION.split('---').length;
const IMAGES = {
  'registry.test/api': `registry.test/api@sha256:${'a'.repeat(64)}`,
  'registry.test/init': `registry.test/init@sha256:${'b'.repeat(64)}`,
};
const MARKS = { repository: 'local/acme/api', environment: 'staging', version: 'v1.0.0', deployment: 'd-1' };

describe('manifests, by kubernetes-validate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-valid-'));
  let jobs: Jobs;
  let seal: Seal;
  let validate: ValidateManifests;

  beforeAll(async () => {
    validate = await openValidator();
    chmodSync(folder, 0o755);
    const toolchain = join(folder, 'toolchain');
    mkdirSync(join(toolchain, 'bin'), { recursive: true });
    copyFileSync(await kubectlProgram(), join(toolchain, 'bin', 'kubectl'));
    jobs = await openJobs({ pipelines: { toolchains: [toolchain] } });
    seal = await createSeal({ identity: (await newKeyFile()).split('\n')[2] ?? '' });
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await jobs?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const render = (manifests: string, files: Readonly<Record<string, string>> = FILES): Promise<string> =>
    renderOf(jobs, { manifests, files, seal });

  /** What is applied for a release: its objects with images and marks, and the canary of each of its Deployments. */
  function appliedFor(text: string): readonly KubernetesObject[] {
    const { objects, problems } = readManifests(text, 'shop', 'manifests of api');
    expect(problems).toEqual([]);
    const wanted = withImages(objects, IMAGES, 'manifests of api');
    const canaries = wanted.filter(({ kind }) => kind === 'Deployment').map(canaryOf);
    const services = wanted.filter(({ kind }) => kind === 'Service');
    const routed = canaries.map((canary) => awayFrom(canary, services.map(selectorOf)));
    const own = services.map((service) =>
      canaryService(service, { name: 'api-canary', labels: podLabelsOf(routed[0] ?? service) ?? {} }),
    );
    return [...wanted, ...canaries, ...routed, ...own].map((object) => withMarks(object, MARKS));
  }

  /** Objects as a stream of documents. */
  const streamOf = (objects: readonly KubernetesObject[]): string =>
    objects.map((object) => JSON.stringify(object)).join('\n---\n');

  test.each([
    ['a folder', '{folder: plain}', KINDS],
    // kustomize has a ConfigMap of its own
    ['kustomize', '{kustomize: k8s/staging}', KINDS + 1],
    [
      'a command',
      `{command: 'for each in plain/*; do echo ---; sed "s,replicas: 3,replicas: 4," "$each"; done'}`,
      KINDS,
    ],
  ])('of %s are valid, as rendered and as applied', async (_from, manifests, count) => {
    const rendered = await render(manifests);
    const said = await validate(rendered);
    expect(said.filter((line) => !line.includes('passed for resource'))).toEqual([]);
    expect(said).toHaveLength(count);

    const applied = appliedFor(rendered);
    expect(streamOf(applied)).toContain('longhaul/release');
    const saidOfApplied = await validate(streamOf(applied));
    expect(saidOfApplied.filter((line) => !line.includes('passed for resource'))).toEqual([]);
    // the canary, that of a route, and its Service
    expect(saidOfApplied).toHaveLength(count + 3);
  });

  test('that are not valid are rendered, and the validator names the field', async () => {
    const broken = WORKLOADS.replace('replicas: 3', 'replicas: three').replace('minAvailable', 'atLeast');
    const rendered = await render('{folder: broken}', { 'broken/all.yaml': broken });
    for (const text of [rendered, streamOf(appliedFor(rendered))]) {
      const errors = (await validate(text)).filter((line) => line.startsWith('ERROR'));
      expect(errors).toContainEqual(expect.stringMatching(/deployment\/api .*spec\.replicas/));
      expect(errors).toContainEqual(expect.stringMatching(/poddisruptionbudget\/api .*atLeast/));
    }
  });
});
