import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeal, newKeyFile, type Seal } from '../../../activities/release/deployment/sealed.ts';
import { CLUSTER_BUILD_MS, kubectlProgram } from '../../support/kubernetes/programs.ts';
import { renderOf } from '../../support/release/deployment-programs.ts';
import { type Jobs, openJobs } from '../../support/release/jobs.ts';

const FILES = {
  'k8s/base/kustomization.yaml': 'resources: [api.yaml]\n',
  'k8s/base/api.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: app, envFrom: [{secretRef: {name: keys}}]}]}
`,
  'k8s/staging/kustomization.yaml': `resources: [../base]
namePrefix: staging-
images: [{name: app, newTag: "7"}]
secretGenerator: [{name: keys, literals: [word=horse]}]
`,
};

describe('manifests by kustomize', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-kustomize-'));
  let kubectl: string;
  let jobs: Jobs;
  let seal: Seal;

  beforeAll(async () => {
    kubectl = await kubectlProgram();
    chmodSync(folder, 0o755);
    // as operators do: a folder with bin/kubectl, which every user may enter
    const toolchain = join(folder, 'toolchain');
    mkdirSync(join(toolchain, 'bin'), { recursive: true });
    copyFileSync(kubectl, join(toolchain, 'bin', 'kubectl'));
    jobs = await openJobs({ pipelines: { toolchains: [toolchain] }, env: { KUBECONFIG: '/etc/longhaul/kubeconfig' } });
    seal = await createSeal({ identity: (await newKeyFile()).split('\n')[2] ?? '' });
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await jobs?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('are those that kubectl renders elsewhere, without credentials of the worker', async () => {
    const rendered = await renderOf(jobs, { manifests: '{kustomize: k8s/staging}', files: FILES, seal });
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const elsewhere = await execa(kubectl, ['kustomize', join(folder, 'k8s/staging')], { stripFinalNewline: false });
    expect(rendered).toBe(elsewhere.stdout);
    expect(rendered).toMatch(/name: staging-keys-[a-z0-9]{10}\n/);
    expect(rendered).toContain('image: app:7');
    const config = await renderOf(jobs, { manifests: '{command: "env; kubectl config view"}', files: FILES, seal });
    expect(config).toContain('clusters: null');
    expect(config).not.toContain('KUBECONFIG');
  });

  test('that kubectl refuses are refused with its message', async () => {
    const files = { ...FILES, 'k8s/staging/kustomization.yaml': 'resources: [../nowhere]\n' };
    await expect(renderOf(jobs, { manifests: '{kustomize: k8s/staging}', files, seal })).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringMatching(/were not rendered: it exited with 1\. It said: .*nowhere/s) as string,
    });
  });
});
