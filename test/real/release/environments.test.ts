import { expect } from 'vitest';
import { releaseTest, REPOSITORY } from '../../support/release/releases.ts';
import { commit, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const test = releaseTest({}, ['repos', 'ledger', 'pipelines']);

test('environments are not checked where no worker serves the role deploy', async ({ release }) => {
  write(release.clone, {
    '.longhaul/environments.yaml':
      'environments: [{name: staging, context: a, namespace: b, services: {api: {manifests: {folder: k8s}}}}]\n',
    'k8s/api.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n',
  });
  const made = commit(release.clone, 'chore: environments');
  git(release.clone, 'push', '--quiet', 'origin', 'HEAD');
  const { exitCode, stderr } = await release.longhaul('environments', 'check');
  expect(stderr).toContain('No worker serves the role deploy: start one with `longhaul worker --roles deploy`.');
  expect(exitCode).toBe(4);
  release.replayed(`environments/${REPOSITORY}/all/${made}`);
});
