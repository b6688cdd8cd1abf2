import { expect } from 'vitest';
import { releasedAs } from '../../support/release/deployments.ts';
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

test('a plan is not waited for where no worker serves the role deploy', async ({ release }) => {
  await releasedAs(release, 'v1.0.0', { 'k8s/api.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n' });
  const { exitCode, stderr } = await release.longhaul('deploy', 'v1.0.0', '--env', 'staging', '--dry-run');
  expect(stderr).toContain('No worker serves the role deploy: start one with `longhaul worker --roles deploy`.');
  expect(exitCode).toBe(4);
  const unknown = await release.longhaul('deploy', 'v1.0.0', '--env', 'moon');
  expect(unknown.stderr).toContain('has no environment moon; environments: staging.');
  expect(unknown.exitCode).toBe(2);
  const unreleased = await release.longhaul('deploy', 'v9.0.0', '--env', 'staging');
  expect(unreleased.stderr).toContain('has no release v9.0.0: only a promoted release can be deployed');
  expect(unreleased.exitCode).toBe(2);
  const service = await release.longhaul('deploy', 'v1.0.0', '--env', 'staging', '--service', 'db');
  expect(service.stderr).toContain('staging has no service db; services: api.');
  expect(service.exitCode).toBe(2);
  const never = await release.longhaul('rollback', '--env', 'staging');
  expect(never.stderr).toContain('staging');
  expect(never.exitCode).toBe(2);
  release.replayed(`deployment-plan/${REPOSITORY}/staging/v1.0.0`);
});
