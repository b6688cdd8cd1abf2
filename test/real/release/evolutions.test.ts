import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { recordRun } from '../../../activities/release/pipelines/record-run.ts';
import { createProgram } from '../../../client/cli/program.ts';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { proveChangeFlow, startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { runPipelineFlow, type RunPipelineResult } from '../../../domain/release/flows/pipeline-flows.ts';
import { deliver, repositoryPayload, startGateway } from '../../support/gateway.ts';
import { git } from '../../support/scratch-git.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { type Release, releaseTest, REPOSITORY } from '../../support/release/releases.ts';
import { commit, generation, prove, tagsOf, write } from '../../support/release/work.ts';

/** A folder that jobs see. */
const SHOWN = mkdtempSync(join(tmpdir(), 'longhaul-shown-'));
// they run as another user
chmodSync(SHOWN, 0o755);
afterAll(() => rmSync(SHOWN, { recursive: true }));
const test = releaseTest({ pipelines: { toolchains: [SHOWN] } });

const POLICY = 'policies:\n  - {name: scan-always, required_steps: [security-scan]}\n';
const CI = `name: full-ci
jobs:
  test:
    matrix: {shard: [1, 2]}
    steps: [{name: unit, command: 'test -f README.md && echo "shard $MATRIX_SHARD of $LONGHAUL_COMMIT"'}]
  scan:
    needs: [test]
    outputs: [REPORT]
    steps: [{name: security-scan, command: 'test "$(git status --short)" = "" && echo REPORT=clean >> "$LONGHAUL_OUTPUT"'}]
  publish:
    needs: [scan]
    steps: [{name: show, command: 'echo "$LONGHAUL_NEEDS" | grep -q clean'}]
`;

describe('the workflow "Standard Feature Release", until its promotion', () => {
  test('starts, proves and lists evolutions on a real remote; nothing but tags is pushed', async ({ release }) => {
    const { clone, remote, ledger, longhaul, replayed } = release;
    write(clone, {
      '.gryt/generations/v1.5.0.yaml': generation('v1.5.0', ['FEAT-201', 'FEAT-202']),
      '.gryt/pipelines/full-ci.yaml': CI,
      '.gryt/policy.yaml': POLICY,
    });
    commit(clone, 'chore: contracts');
    const before = git(remote, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads');

    const started = await longhaul('evolution', 'start', 'v1.5.0', '--change', 'FEAT-201');
    expect(started.stdout).toBe(
      'Validating policies...\n  scan-always: PASS\n\nEvolution started: v1.5.0-rc.1\nChange: FEAT-201\nPipeline: full-ci\n',
    );
    write(clone, { 'oauth.ts': 'export {};\n' });
    const first = commit(clone, 'feat: add OAuth2 login [FEAT-201]');
    write(clone, { 'notes.txt': 'not committed\n' });
    const run = await longhaul('run', 'full-ci');
    expect(run.stderr).toContain('Not committed, so not run:\n  ?? notes.txt\n');
    expect(run.stdout.replaceAll(/\d+\.\d s/g, 'N s')).toBe(
      `full-ci at ${first.slice(0, 12)}: passed\n  test (1): passed (N s)\n  test (2): passed (N s)\n  scan: passed (N s)\n` +
        '  publish: passed (N s)\n\nv1.5.0-rc.1 passed: FEAT-201 of v1.5.0 is proven.\n',
    );
    expect(run.exitCode).toBe(0);
    replayed(`prove/${REPOSITORY}/full-ci/${first}`);
    replayed(`pipeline/${REPOSITORY}/full-ci/${first}`);

    // the remote, as its git sees it: the tag of exactly that commit, and no branch has moved
    expect(git(remote, 'rev-parse', 'v1.5.0-rc.1^{commit}')).toBe(first);
    expect(git(remote, 'cat-file', '-t', 'v1.5.0-rc.1')).toBe('tag');
    expect(git(remote, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads')).toBe(before);

    // a failure is recorded, and spends the number
    await longhaul('evolution', 'start', 'v1.5.0', '--change', 'FEAT-202');
    git(clone, 'rm', '--quiet', 'README.md');
    git(clone, 'commit', '--quiet', '-m', 'feat: notifications [FEAT-202]');
    const failed = await longhaul('run', 'full-ci');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('  test (1): failed (');
    expect(failed.stdout).toContain('  scan: skipped (test (1) failed)\n');
    expect(failed.stdout).toContain('v1.5.0-rc.2 failed: FEAT-202 of v1.5.0 is not proven.\n');
    expect(tagsOf(remote)).toEqual(['v1.5.0-rc.1']);
    git(clone, 'revert', '--no-edit', 'HEAD');
    await longhaul('evolution', 'start', 'v1.5.0', '--change', 'FEAT-202');
    const mended = await longhaul('run', 'full-ci', '--evolution', 'v1.5.0-rc.3', '--json');
    expect(JSON.parse(mended.stdout)).toMatchObject({ evolution: { tag: 'v1.5.0-rc.3' }, verdict: { status: 'pass' } });

    const list = await longhaul('evolution', 'list', 'v1.5.0');
    expect(list.stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')).toBe(`Generation: v1.5.0 (draft)
Description: A release

Evolutions:
  Tag           Change     Status  Timestamp
  v1.5.0-rc.1   FEAT-201   pass    TIME
  v1.5.0-rc.2   FEAT-202   fail    TIME
  v1.5.0-rc.3   FEAT-202   pass    TIME
  1 superseded: rc.2 by rc.3

Changes:
  ID        Title                 Status
  FEAT-201  The change FEAT-201   proven
  FEAT-202  The change FEAT-202   proven

Ready for promotion: YES
`);
    // the ledger, by SQL
    const events = await ledger.sql<{ event_type: string }>('SELECT event_type FROM audit_events ORDER BY event_id');
    expect(events.map(({ event_type: type }) => type).filter((type) => type.startsWith('evolution.'))).toEqual([
      'evolution.started',
      'evolution.passed',
      'evolution.started',
      'evolution.failed',
      'evolution.started',
      'evolution.passed',
    ]);
    const runs = await ledger.sql('SELECT status, commit FROM pipeline_runs ORDER BY completed_at');
    expect(runs.map((row) => (row as { status: string }).status)).toEqual(['pass', 'fail', 'pass']);
    expect((await longhaul('audit', 'verify')).exitCode).toBe(0);
  });

  test('a policy that the pipeline does not keep refuses the start with exit code 9, and writes only the refusal', async ({
    release: { clone, ledger, longhaul },
  }) => {
    write(clone, {
      '.gryt/policy.yaml': `${POLICY}  - {name: e2e, applies_to: [add], required_steps: [e2e-tests]}\n`,
      '.gryt/generations/v1.6.0.yaml': generation('v1.6.0', ['FEAT-300']),
    });
    const refused = await longhaul('evolution', 'start', 'v1.6.0', '--change', 'FEAT-300');
    expect(refused.exitCode).toBe(9);
    expect(refused.stderr).toContain(
      "ERROR: Policy violation\n\nPolicy: e2e\n  Applies to: add\n  Violation: Pipeline 'full-ci' missing required step: e2e-tests\n\nEvolution not started.\n",
    );
    expect(await ledger.sql("SELECT FROM generations WHERE version = 'v1.6.0'")).toEqual([]);
    const [event] = await ledger.sql('SELECT event_type, status FROM audit_events ORDER BY event_id DESC LIMIT 1');
    expect(event).toEqual({ event_type: 'evolution.refused', status: 'refused' });
  });
});

test('a draft without evolutions is renamed in its file and in the ledger, once', async ({ release }) => {
  const { clone, ledger, longhaul } = release;
  write(clone, {
    '.gryt/generations/v9.0.0.yaml': `# planned\n${generation('v9.0.0', ['FEAT-1'])}`,
    '.gryt/pipelines/full-ci.yaml': CI,
    '.gryt/policy.yaml': '{}',
  });
  commit(clone, 'chore: a generation');
  git(clone, 'push', '--quiet', '--force', 'origin', 'HEAD:main');
  const file = (version: string): string => join(clone, '.gryt/generations', `${version}.yaml`);
  const rows = () =>
    ledger.sql(`SELECT generation_id AS id, version, contract ->> 'version' AS declared, contract_digest AS digest
      FROM generations WHERE version LIKE 'v9.%'`);
  const events = () =>
    ledger.sql(`SELECT actor, resource_id, details_json AS details FROM audit_events
      WHERE event_type = 'generation.renamed' ORDER BY event_id`);
  // in the ledger, and without evolutions, as a draft of an imported database
  expect((await longhaul('evolution', 'start', 'v9.0.0', '--change', 'FEAT-1')).exitCode).toBe(0);
  await ledger.sql("DELETE FROM evolutions WHERE tag = 'v9.0.0-rc.1'");
  const [before] = (await rows()) as [{ id: string; version: string }];
  expect(before.version).toBe('v9.0.0');

  const renamed = await longhaul('generation', 'rename', 'v9.0.0', 'v9.1.0');
  expect(renamed.exitCode, renamed.stderr).toBe(0);
  const text = readFileSync(file('v9.1.0'), 'utf8');
  expect(text).toMatch(/^# planned\nversion: v9.1.0\n/);
  expect(existsSync(file('v9.0.0'))).toBe(false);
  const row = {
    id: before.id,
    version: 'v9.1.0',
    declared: 'v9.1.0',
    digest: createHash('sha256').update(text).digest('hex'),
  };
  const event = { actor: expect.any(String) as string, resource_id: 'v9.1.0', details: { from: 'v9.0.0' } };
  expect(await rows()).toEqual([row]);
  expect(await events()).toEqual([event]);

  // the command was killed before it changed the file: a repetition does the rest
  writeFileSync(file('v9.0.0'), text.replace('v9.1.0', 'v9.0.0'));
  rmSync(file('v9.1.0'));
  expect((await longhaul('generation', 'rename', 'v9.0.0', 'v9.1.0')).exitCode).toBe(0);
  expect(readFileSync(file('v9.1.0'), 'utf8')).toBe(text);
  expect(await rows()).toEqual([row]);
  expect(await events()).toEqual([event]);

  // another generation is not taken over, and one with an evolution keeps its version
  write(clone, { '.gryt/generations/v9.2.0.yaml': generation('v9.2.0', ['FEAT-2']) });
  expect((await longhaul('evolution', 'start', 'v9.2.0', '--change', 'FEAT-2')).exitCode).toBe(0);
  rmSync(file('v9.2.0'));
  const taken = await longhaul('generation', 'rename', 'v9.1.0', 'v9.2.0');
  expect(taken.exitCode).toBe(9);
  expect(taken.stderr).toContain('The ledger has a generation v9.2.0 of local/acme/api already.');
  expect(existsSync(file('v9.1.0'))).toBe(true);
  write(clone, { '.gryt/generations/v9.2.0.yaml': generation('v9.2.0', ['FEAT-2']) });
  const kept = await longhaul('generation', 'rename', 'v9.2.0', 'v9.3.0');
  expect(kept.exitCode).toBe(9);
  expect(kept.stderr).toContain('has evolutions, so it keeps its version');
  expect(await ledger.sql("SELECT FROM generations WHERE version = 'v9.3.0'")).toEqual([]);
  expect((await longhaul('evolution', 'abandon', 'v9.2.0-rc.1', '--why', 'a test')).exitCode).toBe(0);
  rmSync(file('v9.2.0'));
  commit(clone, 'chore: renamed');
});

test('a pipeline with a job that deploys to an unknown environment is refused before any of its jobs runs', async ({
  release,
}) => {
  const { clone, ledger, longhaul } = release;
  write(clone, {
    '.gryt/pipelines/ship.yaml':
      'name: ship\njobs:\n  build: {steps: [{name: build, command: "true"}]}\n  rollout: {needs: [build], deploy: production}\n',
  });
  commit(clone, 'chore: a pipeline that deploys');
  const refused = await longhaul('run', 'ship');
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('there is no environment "production"; there are none.');
  expect(await ledger.sql("SELECT FROM pipeline_runs WHERE pipeline = 'ship'")).toEqual([]);
  git(clone, 'rm', '--quiet', '.gryt/pipelines/ship.yaml');
  git(clone, 'commit', '--quiet', '-m', 'chore: without it');
});

describe('a push', () => {
  test('that the gateway is told of proves what its commit names, once; without `release.onPush` nothing', async ({
    release,
  }) => {
    const { clone, client, estate, ledger, longhaul, remote, replayed } = release;
    const webhooks = [{ provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' }];
    write(clone, {
      '.gryt/generations/v1.9.0.yaml': generation('v1.9.0', ['FEAT-1', 'FEAT-2']),
      '.gryt/pipelines/full-ci.yaml': CI,
      '.gryt/policy.yaml': POLICY,
    });
    commit(clone, 'chore: contracts');
    for (const change of ['FEAT-1', 'FEAT-2']) await longhaul('evolution', 'start', 'v1.9.0', '--change', change);
    // before the push, and of no change: they are not proven
    commit(clone, 'feat: pushed long ago [FEAT-2]');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature/push');
    const before = git(clone, 'rev-parse', 'HEAD');
    commit(clone, 'feat: an earlier try [FEAT-1]');
    write(clone, { 'pushed.txt': '1' });
    const named = commit(clone, 'feat: by a push [FEAT-1]');
    const pushed = commit(clone, 'docs: of no change [FEAT-3]');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature/push');
    const message = (after: string) => repositoryPayload('acme/api', { ref: 'refs/heads/feature/push', before, after });
    const status = () => ledger.sql("SELECT tag, status FROM evolutions WHERE tag LIKE 'v1.9.0-%' ORDER BY rc");

    const off = await startGateway(estate, client, { webhooks });
    expect(await deliver(off.url, 'push', message(pushed))).toMatchObject({
      status: 200,
      body: { ignored: 'no repository or branch that is indexed' },
    });
    await off.close();

    const config = JSON.parse(readFileSync(estate.configPath, 'utf8')) as { readonly release?: object };
    writeFileSync(estate.configPath, JSON.stringify({ ...config, release: { ...config.release, onPush: true } }));
    const gateway = await startGateway(estate, client, { webhooks });
    try {
      const workflowId = `push/${REPOSITORY}/${pushed}`;
      const forged = await deliver(gateway.url, 'push', message(pushed), { 'x-hub-signature-256': 'sha256=00' });
      expect(forged.status).toBe(401);
      expect(await deliver(gateway.url, 'push', message(pushed))).toMatchObject({
        status: 202,
        body: { proving: [workflowId] },
      });
      const handle = client.workflow.getHandle(workflowId);
      expect(await handle.result()).toEqual({
        evolutions: [{ tag: 'v1.9.0-rc.1', commit: named, status: 'pass' }],
        unclear: [],
      });
      expect(git(remote, 'rev-parse', 'v1.9.0-rc.1^{commit}')).toBe(named);
      const proven = [
        { tag: 'v1.9.0-rc.1', status: 'pass' },
        { tag: 'v1.9.0-rc.2', status: 'pending' },
      ];
      expect(await status()).toEqual(proven);
      replayed(workflowId);

      // the forge sends it again, and a commit that the repository does not have
      const unknown = '1'.repeat(40);
      for (const after of [pushed, unknown]) await deliver(gateway.url, 'push', message(after));
      expect(await handle.result()).toEqual({ evolutions: [], unclear: [] });
      await expect(client.workflow.getHandle(`push/${REPOSITORY}/${unknown}`).result()).rejects.toMatchObject({
        cause: { cause: { type: 'InvalidInput' } },
      });
      expect(await status()).toEqual(proven);
      const [event] = await ledger.sql(
        "SELECT actor, authenticated_by FROM audit_events WHERE event_type = 'evolution.passed' AND resource_id = 'v1.9.0-rc.1'",
      );
      expect(event).toEqual({ actor: 'push to feature/push', authenticated_by: 'unauthenticated' });
      // conditions of its jobs can ask for a push
      expect(await ledger.sql('SELECT event FROM pipeline_runs WHERE commit = $1', [named])).toEqual([
        { event: 'push' },
      ]);
    } finally {
      await gateway.close();
    }
    await longhaul('evolution', 'abandon', 'v1.9.0-rc.2', '--why', 'not needed');
  });
});

describe('a failure', () => {
  test('counts until a later commit that descends from it passes, or a person says so', async ({ release }) => {
    const { clone, ledger, longhaul } = release;
    write(clone, { '.gryt/generations/v2.7.0.yaml': generation('v2.7.0', ['FEAT-1']), '.gryt/policy.yaml': POLICY });
    const base = commit(clone, 'chore: contracts');
    const start = (...more: string[]) => longhaul('evolution', 'start', 'v2.7.0', '--change', 'FEAT-1', ...more);
    const supersededBy = async () =>
      (
        await ledger.sql<{ by: string | null }>(
          "SELECT superseded_by AS by FROM evolutions WHERE tag LIKE 'v2.7.0-%' ORDER BY rc",
        )
      ).map(({ by }) => by);
    git(clone, 'rm', '--quiet', 'README.md');
    const broken = commit(clone, 'feat: broken');
    const failed = await start('--commit', 'HEAD');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('Evolution started: v2.7.0-rc.1\n');
    expect(failed.stdout).toContain('v2.7.0-rc.1 failed: FEAT-1 of v2.7.0 is not proven.\n');

    // another line of work says nothing about the failure
    git(clone, 'checkout', '--quiet', '-b', 'elsewhere', base);
    commit(clone, 'feat: elsewhere');
    expect((await start('--commit', 'HEAD')).exitCode).toBe(0);
    expect(await supersededBy()).toEqual([null, null]);
    await start();
    expect(
      (await longhaul('run', 'full-ci', '--evolution', 'v2.7.0-rc.3', '--supersedes', 'v2.7.0-rc.1')).exitCode,
    ).toBe(0);
    expect(await supersededBy()).toEqual(['v2.7.0-rc.3', null, null]);

    git(clone, 'checkout', '--quiet', '--detach', broken);
    commit(clone, 'feat: still broken');
    expect((await start('--commit', 'HEAD')).exitCode).toBe(1);
    git(clone, 'revert', '--no-edit', broken);
    expect((await start('--commit', 'HEAD')).exitCode).toBe(0);
    expect(await supersededBy()).toEqual(['v2.7.0-rc.3', null, null, 'v2.7.0-rc.5', null]);
    git(clone, 'checkout', '--quiet', 'main');
    git(clone, 'reset', '--quiet', '--hard', base);
  });

  test('on a commit that was proven takes the proof back', async ({ release }) => {
    const { clone, ledger, longhaul } = release;
    write(clone, { '.gryt/generations/v1.8.0.yaml': generation('v1.8.0', ['FEAT-1']) });
    const proven = commit(clone, 'feat: sometimes [FEAT-1]');
    expect((await longhaul('evolution', 'start', 'v1.8.0', '--change', 'FEAT-1', '--commit', 'HEAD')).exitCode).toBe(0);
    const status = async () =>
      ledger.sql(
        "SELECT e.status, c.status AS change, e.taken_back_by IS NOT NULL AS taken FROM evolutions e JOIN generation_changes c USING (generation_id, change_id) WHERE e.tag = 'v1.8.0-rc.1'",
      );
    expect(await status()).toEqual([{ status: 'pass', change: 'proven', taken: false }]);
    await recordFailure(release, proven);
    expect(await status()).toEqual([{ status: 'fail', change: 'pending', taken: true }]);
    const [event] = await ledger.sql('SELECT event_type, resource_id FROM audit_events ORDER BY event_id DESC LIMIT 1');
    expect(event).toEqual({ event_type: 'evolution.taken_back', resource_id: 'v1.8.0-rc.1' });
    expect((await longhaul('audit', 'verify')).exitCode).toBe(0);
  });
});

/** Records a run that failed, as the activity does: a pipeline that passes and then fails cannot be written. */
async function recordFailure({ ledger: { logins }, blobs }: Release, at: string): Promise<void> {
  const ledger = openLedger(logins.writer, { connections: 1 });
  try {
    await recordRun(
      { ledger, url: logins.writer, blobs, hasPeople: false, announce: [], cancelledBy: () => Promise.resolve(null) },
      {
        run: 'a-later-run',
        status: 'failed',
        repository: REPOSITORY,
        pipeline: 'full-ci',
        commit: at,
        tree: at,
        plan: '',
        sandbox: null,
        quality: { rules: [], exceptions: [], waived: null },
        jobs: [],
        branch: null,
        event: 'manual',
        startedAt: new Date().toISOString(),
        by: 'ada',
      },
      { workflowId: 'pipeline/later', who: { actor: 'ada', authenticated_by: 'unauthenticated' } },
    );
  } finally {
    await ledger.destroy();
  }
}

describe('failures of a run', () => {
  const run = async (release: Release, pipeline: string): Promise<Readonly<Record<string, string>>> => {
    const { clone, client } = release;
    write(clone, {
      '.gryt/generations/v1.9.0.yaml': generation('v1.9.0', ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': pipeline,
    });
    const at = commit(clone, 'test: failures');
    git(clone, 'push', '--quiet', '--force', 'origin', 'HEAD:main');
    const input = { repository: REPOSITORY, pipeline: 'full-ci', commit: at, parallel: 1 };
    const failure: unknown = await (
      await startDeclared(client, runPipelineFlow, input)
    )
      .result()
      .catch((error: unknown) => error);
    const { details } = (failure as { cause: { details: readonly RunPipelineResult[] } }).cause;
    return Object.fromEntries((details[0]?.jobs ?? []).map(({ id, end }) => [id, end]));
  };
  const job = (command: string, more = ''): string => `{${more} steps: [{name: only, command: '${command}'}]}`;

  test('keep queued jobs from starting once there are too many', async ({ release }) => {
    const jobs = `  a: ${job('false')}\n  b: ${job('true')}\n  c: ${job('true')}\n`;
    expect(await run(release, `name: full-ci\nmax_failures: 1\njobs:\n${jobs}`)).toEqual({
      a: 'failed',
      b: 'skipped',
      c: 'skipped',
    });
  });

  test('do not end the jobs that clean up after them', async ({ release }) => {
    const jobs = `  a: ${job('false')}\n  tidy: ${job('true', 'needs: [a], if: {result: always},')}\n`;
    expect(await run(release, `name: full-ci\nfail_fast: true\njobs:\n${jobs}`)).toEqual({
      a: 'failed',
      tidy: 'passed',
    });
  });
});

test('a job that is tried again has a row, steps and a log of each attempt, and the last one counts', async ({
  release,
}) => {
  const { clone, ledger, longhaul } = release;
  write(clone, {
    '.gryt/policy.yaml': POLICY,
    '.gryt/generations/v2.8.0.yaml': generation('v2.8.0', ['FEAT-1']),
    '.gryt/pipelines/full-ci.yaml':
      'name: full-ci\njobs:\n  scan:\n    retries: 2\n    steps:\n' +
      `      - {name: prepare, command: 'echo "attempt $LONGHAUL_ATTEMPT"'}\n` +
      `      - {name: security-scan, command: 'test "$LONGHAUL_ATTEMPT" = 2'}\n`,
  });
  git(clone, 'checkout', '--quiet', '-B', 'main');
  commit(clone, 'feat: at the second attempt [FEAT-1]');
  git(clone, 'push', '--quiet', '--force', 'origin', 'main');
  await longhaul('evolution', 'start', 'v2.8.0', '--change', 'FEAT-1');
  const run = await longhaul('run', 'full-ci', '--report', '../report.html');
  expect(run.stdout).toMatch(
    / {2}scan: passed \(.* 2 attempts\)\n {4}attempt 1: failed \(.*, security-scan: exit code 1, log [0-9a-f]{64}\)\n/,
  );
  expect(run.stdout).toContain('v2.8.0-rc.1 passed: FEAT-1 of v2.8.0 is proven.\n');
  const rows = await ledger.sql<{ attempt: number; status: string; exit_code: number; steps: number; log: string }>(
    `SELECT attempt, j.status, exit_code, jsonb_array_length(steps) AS steps, log_blob AS log
     FROM pipeline_jobs j JOIN evolutions e USING (pipeline_run_id) WHERE e.tag = 'v2.8.0-rc.1' ORDER BY attempt`,
  );
  expect(rows.map(({ log: _log, ...row }) => row)).toEqual([
    { attempt: 1, status: 'fail', exit_code: 1, steps: 2 },
    { attempt: 2, status: 'pass', exit_code: 0, steps: 2 },
  ]);
  for (const { attempt, log } of rows) {
    expect((await longhaul('blob', 'get', log)).stdout).toContain(`\nattempt ${attempt}\n`);
  }
  const page = readFileSync(join(clone, '..', 'report.html'), 'utf8');
  for (const { log } of rows) expect(page).toContain(log);
  // the earlier attempt does not keep the tree from being released
  expect((await longhaul('generation', 'promote', 'v2.8.0', '--dry-run')).exitCode).toBe(0);
});

describe('a run that starts from a job', () => {
  const STAGED = `name: full-ci
jobs:
  scan:
    outputs: [FOUND]
    artifacts: [made.txt]
    steps:
      - {name: security-scan, command: 'date +%s%N > made.txt; echo "FOUND=$(cat made.txt)" >> "$LONGHAUL_OUTPUT"'}
  proven:
    needs: [scan]
    steps: [{name: look, command: 'cat made.txt; echo "saw $LONGHAUL_NEEDS"; until test -e ${SHOWN}/seen; do sleep 0.1; done; test "$LONGHAUL_EVENT" = evolution'}]
  last:
    needs: [proven]
    steps: [{name: last, command: "test ! -e made.txt"}]
`;

  test('keeps what has passed at the same commit, which proves its steps; at another commit there is nothing to keep', async ({
    release: { clone, env, ledger, longhaul, replayed },
  }) => {
    write(clone, {
      '.gryt/policy.yaml': POLICY,
      '.gryt/generations/v1.7.0.yaml': generation('v1.7.0', ['FEAT-400']),
      '.gryt/pipelines/full-ci.yaml': STAGED,
    });
    const first = commit(clone, 'feat: staged [FEAT-400]');
    const refused = await longhaul('run', 'full-ci', '--from', 'proven');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('There is no earlier run of full-ci');
    const io = memoryIo(env);
    const watched = createProgram({ io }).run(['run', 'full-ci', '--watch']);
    // the output of the job while it runs
    await expect.poll(io.err).toMatch(/> proven: running\n(?:.*\n)*? {2}proven \| saw \{"scan":/);
    writeFileSync(join(SHOWN, 'seen'), '');
    expect(await watched).toBe(1);
    expect(io.err()).toMatch(/> proven: running\n(?:.*\n)*x proven: failed\n/);
    expect(io.err()).toContain('+ scan: passed\n');
    const shown = await longhaul('run', 'full-ci', '--from', 'last', '--show');
    expect(shown.exitCode).toBe(1);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      status: 'error',
      results: {
        scan: { 'security-scan': { status: 'ok', returncode: 0, attempts: 1 } },
        proven: { look: { status: 'error', returncode: 1, error: 'exit code 1' } },
        last: {},
      },
    });
    await longhaul('evolution', 'start', 'v1.7.0', '--change', 'FEAT-400');
    const passed = await longhaul('run', 'full-ci', '--from', 'proven');
    expect(passed.stdout).toMatch(/ {2}scan: passed \(.*in the run [0-9a-f-]{36}\)\n {2}proven: passed/);
    expect(passed.stdout).toContain('v1.7.0-rc.1 passed: FEAT-400 of v1.7.0 is proven.\n');
    expect(passed.exitCode).toBe(0);
    replayed(`pipeline/${REPOSITORY}/full-ci/${first}`);
    // what was kept has the bytes of the first run
    const outputs = await ledger.sql<{ outputs: { FOUND: string } }>(
      "SELECT j.outputs FROM pipeline_jobs j JOIN pipeline_runs r USING (pipeline_run_id) WHERE r.commit = $1 AND j.job = 'scan'",
      [first],
    );
    expect(outputs).toHaveLength(3);
    expect(new Set(outputs.map(({ outputs: { FOUND } }) => FOUND)).size).toBe(1);

    write(clone, { 'more.txt': 'more\n' });
    commit(clone, 'feat: another commit [FEAT-400]');
    expect((await longhaul('run', 'full-ci', '--from', 'proven')).exitCode).toBe(2);
  });
});

test('a test that fails in one attempt and passes in the next is listed as flaky', async ({
  release: { clone, longhaul },
}) => {
  const junit = '<testsuite name="s"><testcase name="shaky">$1</testcase><testcase name="fine"/></testsuite>';
  write(clone, {
    '.gryt/pipelines/shaky.yaml': `name: shaky
jobs:
  test:
    retries: 1
    reports: {junit: [junit.xml]}
    steps:
      - name: unit
        command: |
          write() { printf '%s' '${junit.replace('$1', '\'"$1"\'')}' > junit.xml; }
          if test "$LONGHAUL_ATTEMPT" = 1; then write '<failure message="no"/>'; exit 1; fi
          write ''
`,
  });
  commit(clone, 'test: a flaky test');
  const none = await longhaul('run', 'shaky', '--flaky');
  expect(none.stdout).toBe('shaky has no flaky test in its last 100 runs.\n');
  const run = await longhaul('run', 'shaky', '--report', 'report.html');
  expect(run.exitCode, run.stdout).toBe(0);
  const page = readFileSync(join(clone, 'report.html'), 'utf8');
  expect(page).toContain('<h2>Flaky tests</h2>');
  expect(page).toContain('s > shaky'.replace('>', '&gt;'));
  rmSync(join(clone, 'report.html'));
  const listed = await longhaul('run', 'shaky', '--flaky');
  expect(listed.stdout).toMatch(
    /^s > shaky \(job test\): 1 failed and 1 passed at one commit, last on \d{4}-\d\d-\d\d\n$/,
  );
});

describe('the reports of a run', () => {
  const RULES = `name: quality
quality:
  coverage: {minimum: 50}
  tests: {none_failed: true}
  findings: {none_new: warning}
  quarantine: [{test: "*flaky", owner: ada, until: 2999-12-31, why: waits for a port}]
jobs:
  test:
    allow_failure: true
    reports: {junit: [junit.xml], lcov: [lcov.info], sarif: [lint.sarif]}
    steps: [{name: unit, command: 'false'}]
`;
  const junit = (name: string): string =>
    `<testsuites><testsuite name="s"><testcase name="fine" time="0.5"/><testcase name="${name}"><failure message="no"/></testcase></testsuite></testsuites>`;
  const sarif = (...messages: readonly string[]): string =>
    JSON.stringify({
      version: '2.1.0',
      runs: [
        { tool: { driver: { name: 'lint' } }, results: messages.map((text) => ({ ruleId: 'r', message: { text } })) },
      ],
    });

  test('are judged and in the ledger: a new finding and a failed test fail it, whatever the steps say', async ({
    release: { clone, ledger, longhaul },
  }) => {
    const lcov = 'SF:a.ts\nDA:1,1\nDA:2,1\nDA:3,0\nend_of_record\n';
    write(clone, {
      '.gryt/pipelines/quality.yaml': RULES,
      'junit.xml': junit('flaky'),
      'lcov.info': lcov,
      'lint.sarif': sarif('old'),
    });
    git(clone, 'checkout', '--quiet', '-B', 'main');
    commit(clone, 'test: reports');
    // its findings are known once the default branch of the remote has the commit
    git(clone, 'push', '--quiet', '--force', 'origin', 'HEAD:main');
    const first = await longhaul('run', 'quality', '--report', 'report.html');
    const page = readFileSync(join(clone, 'report.html'), 'utf8');
    expect(page).toContain('test *flaky in quarantine, owned by ada, until 2999-12-31: waits for a port');
    expect(page).toContain('<svg role="img" aria-label="When each job ran;');
    // one file: nothing is loaded, nothing runs
    expect(page).not.toMatch(/<script|(?:src|href)=/);
    const [, digest = ''] = /blob store as ([0-9a-f]{64})/.exec(first.stderr) ?? [];
    expect(digest).toBe(createHash('sha256').update(page).digest('hex'));
    rmSync(join(clone, 'report.html'));
    // the same of the recorded run, which may have been started in any way
    const [recorded] = await ledger.sql<{ id: string }>(
      "SELECT pipeline_run_id AS id FROM pipeline_runs WHERE pipeline = 'quality'",
    );
    const again = await longhaul('run', 'quality', '--of', recorded?.id ?? '', '--report', 'report.html');
    expect(readFileSync(join(clone, 'report.html'), 'utf8')).toBe(page);
    rmSync(join(clone, 'report.html'));
    expect(again.stdout).toBe(first.stdout);
    const other = await longhaul('run', 'full-ci', '--of', recorded?.id ?? '');
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toContain(`The run ${recorded?.id} is one of quality.`);
    expect(first.stdout).toContain(
      '  rule for tests: passed (2 tests, 0 failed, 1 failed in quarantine)\n' +
        '  rule for coverage: passed (66.6 % of the lines, at least 50 % are required)\n' +
        '  rule for findings: passed (1 findings of level warning or worse, nothing to compare with)\n' +
        '  test *flaky in quarantine, owned by ada, until 2999-12-31: waits for a port\n',
    );
    expect(first.exitCode).toBe(0);
    write(clone, { 'junit.xml': junit('steady'), 'lint.sarif': sarif('old', 'new') });
    commit(clone, 'test: worse reports');
    const second = await longhaul('run', 'quality');
    expect(second.exitCode).toBe(1);
    expect(second.stdout).toContain('  rule for tests: failed (2 tests, 1 failed)\n    s > steady\n');
    expect(second.stdout).toContain(
      '  rule for findings: failed (2 findings of level warning or worse, 1 of them new)\n    r: new\n',
    );
    const of = `FROM pipeline_runs r JOIN`;
    const where = `USING (pipeline_run_id) WHERE r.pipeline = 'quality' ORDER BY r.completed_at`;
    expect(await ledger.sql(`SELECT t.name, t.status, t.duration ${of} test_results t ${where}, t.position`)).toEqual([
      { name: 's > fine', status: 'pass', duration: 0.5 },
      { name: 's > flaky', status: 'fail', duration: null },
      { name: 's > fine', status: 'pass', duration: 0.5 },
      { name: 's > steady', status: 'fail', duration: null },
    ]);
    expect(await ledger.sql(`SELECT q.rule, q.status ${of} quality_results q ${where}, q.rule`)).toEqual([
      { rule: 'coverage', status: 'pass' },
      { rule: 'findings', status: 'pass' },
      { rule: 'tests', status: 'pass' },
      { rule: 'coverage', status: 'pass' },
      { rule: 'findings', status: 'fail' },
      { rule: 'tests', status: 'fail' },
    ]);
    expect(await ledger.sql(`SELECT c.path, c.lines, c.covered ${of} coverage c ${where} LIMIT 1`)).toEqual([
      { path: 'a.ts', lines: 3, covered: 2 },
    ]);
    expect(await ledger.sql(`SELECT count(*)::int AS n ${of} findings f ${where.split(' ORDER')[0] ?? ''}`)).toEqual([
      { n: 3 },
    ]);
  });
});

/** A pipeline in which the required step is as given. */
function pipelineWith(step: string, job = ''): string {
  return `name: full-ci\njobs:\n  scan:\n    ${job || 'retries: 0'}\n    steps:\n      - {name: security-scan, ${step}}\n`;
}

/** A step that passes, and does something. */
const CHECKS = "command: 'test -f README.md'";

/** What a commit does to the step that must pass; none of them may yield a proof. */
const SABOTEURS: readonly Saboteur[] = [
  { what: 'exits with 1', pipeline: pipelineWith("command: 'exit 1'") },
  { what: 'prints PASS and exits with 1', pipeline: pipelineWith("command: 'echo PASS; exit 1'") },
  { what: 'is ended by a signal', pipeline: pipelineWith("command: 'kill -SEGV $$'") },
  { what: 'is ended by its time limit', pipeline: pipelineWith("command: 'sleep 60', timeout: 1s") },
  { what: 'runs a program that is not there', pipeline: pipelineWith('run: [no-such-program]') },
  { what: 'may fail', pipeline: pipelineWith(CHECKS, 'allow_failure: true') },
  { what: 'is in a job that is skipped', pipeline: pipelineWith(CHECKS, 'if: {branch: [never]}') },
  { what: 'is emptied', pipeline: pipelineWith("command: '# test -f README.md'") },
  {
    what: 'is in a job that is skipped, and a dummy with its name in a second job',
    pipeline: `${pipelineWith(CHECKS, 'if: {branch: [never]}')}  dummy: {steps: [{name: security-scan, command: echo ok}]}\n`,
  },
  {
    what: 'writes a report without a test',
    pipeline: pipelineWith(
      'command: \'test -f README.md; echo "<testsuites/>" > junit.xml\'',
      'reports: {junit: [junit.xml]}',
    ).replace('jobs:', 'quality: {tests: {none_failed: true}}\njobs:'),
  },
  { what: 'is gone', pipeline: "name: full-ci\nsteps: [{name: other, command: 'true'}]\n" },
  {
    what: 'is only in another pipeline',
    pipeline: "name: full-ci\nsteps: [{name: other, command: 'true'}]\n",
    other: pipelineWith(CHECKS).replace('full-ci', 'other'),
  },
];

interface Saboteur {
  /** After "a required step proves nothing when it". */
  readonly what: string;
  readonly pipeline: string;
  /** Another pipeline of the commit. */
  readonly other?: string;
}

describe('a required step proves nothing when it', () => {
  test.for(SABOTEURS)('$what', async (saboteur, { release }) => {
    const { clone, remote, ledger, client } = release;
    const { pipeline, other } = saboteur;
    const version = `v9.0.${SABOTEURS.indexOf(saboteur)}`;
    write(clone, {
      '.gryt/policy.yaml': POLICY,
      [`.gryt/generations/${version}.yaml`]: generation(version, ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': pipelineWith(CHECKS),
    });
    commit(clone, 'chore: contracts that are kept');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const start = await startDeclared(client, startEvolutionFlow, {
      repository: REPOSITORY,
      version,
      change: 'FEAT-1',
      by: 'ada',
    });
    await start.result();
    write(clone, {
      '.gryt/pipelines/full-ci.yaml': pipeline,
      ...(other === undefined ? {} : { '.gryt/pipelines/other.yaml': other }),
    });
    const bad = commit(clone, 'feat: the change [FEAT-1]');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const evolution = `${version}-rc.1`;
    const proof = await startDeclared(client, proveChangeFlow, {
      repository: REPOSITORY,
      pipeline: 'full-ci',
      evolution,
      commit: bad,
    });
    // `longhaul run` exits with 1
    await expect(proof.result()).rejects.toMatchObject({ cause: { type: 'PipelineFailed' } });
    expect(tagsOf(remote)).not.toContain(evolution);
    const [row] = await ledger.sql('SELECT status FROM evolutions WHERE tag = $1', [evolution]);
    expect(row).toEqual({ status: 'fail' });
    const [change] = await ledger.sql(
      'SELECT c.status FROM generation_changes c JOIN generations g USING (generation_id) WHERE g.version = $1',
      [version],
    );
    expect(change).toEqual({ status: 'pending' });
  });
});

describe('without a policy', () => {
  const job = (command: string, condition: string): string =>
    `{if: ${condition}, steps: [{name: unit, command: '${command}'}]}`;

  test('a run in which every job is skipped proves nothing: exit code 1, and no tag', async ({ release }) => {
    const { clone, remote, ledger, longhaul } = release;
    write(clone, {
      '.gryt/policy.yaml': 'policies: []\n',
      '.gryt/generations/v9.1.0.yaml': generation('v9.1.0', ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': `name: full-ci\njobs:\n  t: ${job('test -f README.md', '{branch: [never]}')}\n`,
    });
    commit(clone, 'feat: nothing runs [FEAT-1]');
    expect((await longhaul('evolution', 'start', 'v9.1.0', '--change', 'FEAT-1')).exitCode).toBe(0);
    const run = await longhaul('run', 'full-ci');
    expect(run.stdout).toContain('  No job of the pipeline full-ci passed: all were skipped, or may fail.\n');
    expect(run.exitCode).toBe(1);
    expect(tagsOf(remote)).not.toContain('v9.1.0-rc.1');
    expect(await ledger.sql("SELECT status FROM evolutions WHERE tag = 'v9.1.0-rc.1'")).toEqual([{ status: 'fail' }]);
  });

  test('a run on the released tree proves nothing without the jobs that proved the changes; it has the branch', async ({
    release,
  }) => {
    const { clone, remote, longhaul } = release;
    const pipeline = (condition: string): string =>
      `name: full-ci\njobs:\n  check: ${job('test ! -f left -o ! -f right', condition)}\n  other: ${job('true', '{}')}\n`;
    write(clone, {
      '.gryt/policy.yaml': 'policies: []\n',
      '.gryt/generations/v9.2.0.yaml': generation('v9.2.0', ['FEAT-1', 'FEAT-2']),
      '.gryt/pipelines/full-ci.yaml': pipeline('{event: [evolution]}'),
    });
    git(clone, 'checkout', '--quiet', '-B', 'main');
    const base = commit(clone, 'chore: contracts');
    git(clone, 'checkout', '--quiet', '-B', 'left');
    await prove(release, 'v9.2.0', 'FEAT-1', { left: '' });
    git(clone, 'checkout', '--quiet', '-B', 'right', base);
    await prove(release, 'v9.2.0', 'FEAT-2', { right: '' });
    git(clone, 'checkout', '--quiet', 'main');
    git(clone, 'merge', '--quiet', '--no-edit', 'left', 'right');
    git(clone, 'push', '--quiet', '--force', 'origin', 'main');

    const skipped = await longhaul('generation', 'promote', 'v9.2.0');
    expect(skipped.stdout).toContain(
      ': check passed when FEAT-1, FEAT-2 was proven, and did not run here: it runs on evolution.\n',
    );
    expect(skipped.exitCode).toBe(9);
    write(clone, { '.gryt/pipelines/full-ci.yaml': pipeline('{branch: [main, left, right], changed: [left]}') });
    commit(clone, 'ci: check what is released');
    git(clone, 'push', '--quiet', 'origin', 'main');
    const red = await longhaul('generation', 'promote', 'v9.2.0');
    expect(red.stdout).toContain('check failed at the step unit (exit code 1).');
    expect(red.exitCode).toBe(9);
    expect(tagsOf(remote)).not.toContain('v9.2.0');
  });
});
