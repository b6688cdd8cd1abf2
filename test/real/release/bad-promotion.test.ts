import { describe, expect } from 'vitest';
import { openGate } from '../../support/release/deployments.ts';
import { REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, prove, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const CI = "name: full-ci\njobs:\n  unit: {steps: [{name: unit, command: 'true'}]}\n";
const RECOVER = ['generation', 'recover', 'v6.0.0', '--env', 'production', '--why', 'leaks memory'] as const;

describe('after a bad promotion', () => {
  test('people choose what becomes of the generation, and a new run continues where the one before ended', async ({
    release,
  }) => {
    const { clone, ledger, longhaul, remote } = release;
    write(clone, {
      '.longhaul/generations/v6.0.0.yaml': generation('v6.0.0', ['FEAT-1']),
      '.longhaul/pipelines/full-ci.yaml': CI,
    });
    commit(clone, 'chore: contracts');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await prove(release, 'v6.0.0', 'FEAT-1', { 'feature.txt': '1' });
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const early = await longhaul(...RECOVER);
    expect([early.exitCode, early.stderr]).toEqual([2, expect.stringContaining('was not promoted')]);
    expect(await longhaul('generation', 'promote', 'v6.0.0')).toMatchObject({ exitCode: 0 });
    const status = async () => (await ledger.sql("SELECT status FROM generations WHERE version = 'v6.0.0'"))[0];

    // an environment that cannot go back stops it; the person passes that over
    const [row] = await ledger.sql<{ commit: string }>("SELECT commit FROM generations WHERE version = 'v6.0.0'");
    const deployed = `INSERT INTO longhaul.deployments (deployment_id, repository, environment, version, commit, packed,
        contracts, services, goes_back, context, namespace, status, workflow_id, created_by)
      VALUES (gen_random_uuid()::text, $1, 'production', $2, $3, '{}', repeat('b', 64), '["api"]', false, 'test', 'shop',
        'deployed', 'deploy', 'ada')`;
    await ledger.sql(deployed, [REPOSITORY, 'v6.0.0', row?.commit]);
    const stuck = await longhaul(...RECOVER);
    expect([stuck.exitCode, stuck.stderr]).toEqual([
      2,
      expect.stringContaining('production had no other release before v6.0.0'),
    ]);
    expect(await status()).toEqual({ status: 'promoted' });
    const kept = longhaul(...RECOVER, '--from', 'decision');
    const gate = await openGate(release);
    const [asked] = await ledger.sql<{ evidence: readonly string[] }>('SELECT evidence FROM gates WHERE gate_id = $1', [
      gate.id,
    ]);
    expect(asked?.evidence).toEqual([
      `commit ${row?.commit}`,
      'leaks memory',
      'production still has v6.0.0.',
      'approve: v6.0.0 is a draft again, and its tag is kept',
      'reject: v6.0.0 stays promoted, which is recorded',
    ]);
    await longhaul('reject', gate.id, '--why', 'it can wait');
    expect(await kept).toMatchObject({
      exitCode: 0,
      stdout: `production still has v6.0.0.
Generation v6.0.0 stays promoted.
  tester: it can wait
Next: longhaul rollback --env production
`,
    });
    expect(await status()).toEqual({ status: 'promoted' });

    // another release has followed: nothing is to be put back
    await ledger.sql(deployed, [REPOSITORY, 'v6.0.1', row?.commit]);
    const unsaid = await longhaul(...RECOVER, '--from', 'withdrawal');
    expect([unsaid.exitCode, unsaid.stderr]).toEqual([2, expect.stringContaining('decision')]);
    const withdrawn = await longhaul(...RECOVER, '--from', 'withdrawal', '--decision', 'withdraw', '--tag', 'remove');
    const next = 'Next: longhaul hotfix create v6.0.1 --issue … --title … --deploy production --reason …\n';
    expect(withdrawn).toMatchObject({
      exitCode: 0,
      stdout: `production does not have v6.0.0: it has v6.0.1.
Generation v6.0.0 withdrawn: it is a draft again. Its tag was removed from the remote.
${next}`,
    });
    expect(await status()).toEqual({ status: 'draft' });
    expect(git(remote, 'tag', '--list', 'v6.0.0')).toBe('');
    release.replayed(`recovery/${REPOSITORY}/production/v6.0.0`);
    // and no one is asked about it again
    expect(await longhaul(...RECOVER)).toMatchObject({
      exitCode: 0,
      stdout: `production does not have v6.0.0: it has v6.0.1.\nGeneration v6.0.0 was withdrawn before.\n${next}`,
    });
    const wrong = await longhaul(...RECOVER, '--from', 'nowhere');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('There is no stage nowhere')]);
    expect(
      await ledger.sql(
        `SELECT details_json->>'decision' AS decision, details_json->'decidedBy' AS "decidedBy", why FROM audit_events
         WHERE event_type = 'generation.recovered' ORDER BY event_id`,
      ),
    ).toEqual([
      { decision: 'kept', decidedBy: ['tester: it can wait'], why: 'leaks memory' },
      { decision: 'withdrawn', decidedBy: [], why: 'leaks memory' },
      { decision: 'withdrawn before', decidedBy: [], why: 'leaks memory' },
    ]);
  });
});
