import { describe, expect, vi } from 'vitest';
import { REPOSITORY, releaseTest, type Release } from '../../support/release/releases.ts';
import { commit, generation, prove, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

/** A repository with this kubeconfig has no context: each deployment is refused before its plan. */
const test = releaseTest({ deploy: { contexts: { other: { repositories: ['local/acme/*'] } } } });

const CI = "name: full-ci\njobs:\n  unit: {steps: [{name: unit, command: 'test ! -e broken'}]}\n";
const ENVIRONMENTS = `environments:
  - {name: staging, context: away, namespace: shop, services: {api: {manifests: {folder: k8s}}}}
  - {name: production, context: away, namespace: shop, services: {api: {manifests: {folder: k8s}}}}
`;
const MANIFEST = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}\n';

const ISSUE = ['hotfix', 'create', 'v2.3.0', '--issue', 'CRIT-500', '--title', 'Fix the leak'] as const;
const REASON = "it isn't up";

/** Releases v2.3.0. */
async function released(release: Release): Promise<void> {
  const { clone, longhaul } = release;
  write(clone, {
    '.longhaul/generations/v2.3.0.yaml': generation('v2.3.0', ['FEAT-1']),
    '.longhaul/pipelines/full-ci.yaml': CI,
    '.longhaul/environments.yaml': ENVIRONMENTS,
    'k8s/settings.yaml': MANIFEST,
  });
  commit(clone, 'chore: contracts');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  await prove(release, 'v2.3.0', 'FEAT-1', { 'feature.txt': '1' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  expect(await longhaul('generation', 'promote', 'v2.3.0')).toMatchObject({ exitCode: 0 });
}

/** What a run of the flow waits for, by the query of the Temporal UI. */
async function linesOf({ client }: Release, id: string): Promise<readonly string[]> {
  const progress = await client.workflow.getHandle(id).query<{ readonly lines: readonly string[] }>('progress');
  return progress.lines;
}

describe('a hotfix on its way to production', { timeout: 180_000 }, () => {
  test('waits for its proof, is promoted, and stays promoted when its deployment is refused', async ({ release }) => {
    const { clone, ledger, longhaul, remote } = release;
    await released(release);

    const unsaid = await longhaul(...ISSUE, '--deploy', 'production');
    expect([unsaid.exitCode, unsaid.stderr]).toEqual([2, expect.stringContaining('--deploy needs --reason')]);
    const nowhere = await longhaul(...ISSUE, '--deploy', 'moon', '--reason', REASON);
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([
      2,
      expect.stringContaining('environments: staging, production'),
    ]);
    // the hotfix that it made is found, also by a run for another environment
    const id = `hotfix-release/${REPOSITORY}/production/v2.3.0/CRIT-500`;
    const whole = longhaul(...ISSUE, '--deploy', 'production', '--reason', REASON);
    await vi.waitFor(async () => expect(await linesOf(release, id)).toHaveLength(2), { timeout: 30_000 });
    expect(await linesOf(release, id)).toEqual([
      expect.stringContaining('git switch hotfix/v2.3.1'),
      'commit it with [CRIT-500] in its message, and run the pipeline: it proves v2.3.1-rc.1',
    ]);
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'switch', '--quiet', 'hotfix/v2.3.1');
    write(clone, { 'leak.txt': 'fixed', broken: '' });
    commit(clone, 'fix: the leak [CRIT-500]');
    expect(await longhaul('run', 'full-ci')).toMatchObject({ exitCode: 1 });
    await vi.waitFor(
      async () =>
        expect((await linesOf(release, id))[1]).toBe(
          'v2.3.1-rc.1: fail; next: longhaul evolution start v2.3.1 --change CRIT-500',
        ),
      { timeout: 30_000 },
    );
    git(clone, 'rm', '--quiet', 'broken');
    const fix = await prove(release, 'v2.3.1', 'CRIT-500', { 'leak.txt': 'fixed again' });
    const { exitCode, stdout, stderr } = await whole;
    expect(stdout.replace(/(had before: ).*away.*/, '$1WHY'))
      .toBe(`Hot-fix v2.3.1 of v2.3.0 for CRIT-500 is promoted at ${fix.slice(0, 12)}.
It is not in production, which has what it had before: WHY
v2.3.1 stays promoted. When the cause is corrected: longhaul deploy v2.3.1 --env production --reason 'it isn'\\''t up'
`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('fix for the default branch: branch longhaul/merge-v2.3.1\n');
    expect(git(remote, 'rev-parse', 'v2.3.1^{commit}')).toBe(fix);
    release.replayed(id);

    // the next run finds all of that
    const again = await longhaul('hotfix', 'deploy', 'v2.3.1', '--env', 'production', '--reason', REASON);
    expect([again.exitCode, again.stdout]).toEqual([2, stdout]);
    release.replayed(`hotfix-release/${REPOSITORY}/production/v2.3.1`);
    expect(
      await ledger.sql(`SELECT event_type, count(*)::int AS n FROM audit_events
        WHERE event_type IN ('hotfix.created', 'generation.promoted', 'evolution.started') AND resource_id LIKE 'v2.3.1%'
        GROUP BY 1 ORDER BY 1`),
    ).toEqual([
      { event_type: 'evolution.started', n: 2 },
      { event_type: 'generation.promoted', n: 1 },
      { event_type: 'hotfix.created', n: 1 },
    ]);
    // a failure of the deployment is recorded once, by the deployment
    expect(
      await ledger.sql(`SELECT event_type, count(*)::int AS n FROM audit_events
        WHERE event_type LIKE '%.refused' AND resource_id LIKE '%v2.3.1%' GROUP BY 1`),
    ).toEqual([{ event_type: 'deployment.refused', n: 2 }]);
  });

  test('is the hotfix of the version that is given', async ({ release: { longhaul } }) => {
    const wrong = await longhaul('hotfix', 'deploy', 'v2.3.0', '--env', 'production', '--reason', REASON);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('v2.3.0 of local/acme/api is not a hotfix'),
    ]);
    const unknown = await longhaul('hotfix', 'deploy', 'v9.9.9', '--env', 'production', '--reason', REASON);
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('has no hotfix v9.9.9')]);
  });
});
