import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { parse } from 'yaml';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { promoteGenerationFlow } from '../../../domain/release/flows/promotion-flows.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';
import { openMgit } from '../../support/mgit.ts';
import { git } from '../../support/scratch-git.ts';
import { type Release, REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, prove, tagsOf, write } from '../../support/release/work.ts';

/** Fails when both changes are there. */
const CI = `name: full-ci
steps:
  - {name: unit, command: 'test ! -f left -o ! -f right -o -f fixed'}
  - {name: security-scan, command: 'test -f README.md'}
`;
const POLICY =
  'policies:\n  - {name: scan-always, required_steps: [security-scan]}\n  - {name: enough, min_evolutions: 2}\n';

const PROMOTED = (version: string): string => `Running promotion gates...
  AllChangesProvenGate: PASS
  NoFailedEvolutionsGate: PASS
  MinEvolutionsGate: PASS

Creating final tag ${version}...
Updating generation status to promoted...

Generation ${version} promoted successfully!
`;

/** What the ledger, the remote and the audit trail say about a version. */
async function stateOf(release: Release, version: string) {
  const { ledger, remote } = release;
  const [row] = await ledger.sql<{ status: string; commit: string | null }>(
    'SELECT status, commit FROM generations WHERE version = $1',
    [version],
  );
  const events = await ledger.sql(
    "SELECT FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = $1",
    [version],
  );
  const isTagged = tagsOf(remote).includes(version);
  const tagged = isTagged ? git(remote, 'rev-parse', `${version}^{commit}`) : null;
  return { status: row?.status, commit: row?.commit ?? null, events: events.length, tagged };
}

/** The types of the flows that Temporal lists for a generation. */
async function flowsOf({ client }: Release, version: string): Promise<readonly string[]> {
  return vi.waitFor(
    async () => {
      const query = `LonghaulGeneration = '${REPOSITORY}@${version}'`;
      const types: string[] = [];
      for await (const { type } of client.workflow.list({ query })) types.push(type);
      // the server lists a run a moment after it began
      expect(types).toContain('promoteGeneration');
      return types;
    },
    { timeout: 60_000, interval: 200 },
  );
}

describe('a promotion', () => {
  test('is refused until the changes have passed together, and then tags the commit that was run', async ({
    release,
  }) => {
    const { clone, remote, ledger, longhaul, replayed } = release;
    write(clone, {
      '.gryt/generations/v3.0.0.yaml': generation('v3.0.0', ['TEAM-A-1', 'TEAM-B-1']),
      '.gryt/pipelines/full-ci.yaml': CI,
      '.gryt/policy.yaml': POLICY,
    });
    const base = commit(clone, 'chore: contracts');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

    const early = await longhaul('generation', 'promote', 'v3.0.0', '--dry-run');
    expect(early.exitCode).toBe(9);
    expect(early.stdout).toContain(
      '  AllChangesProvenGate: FAIL\n    TEAM-A-1 is not proven.\n    TEAM-B-1 is not proven.\n',
    );
    expect(early.stdout).toContain('  MinEvolutionsGate: FAIL\n    0 of at least 2 evolutions passed.\n');

    git(clone, 'checkout', '--quiet', '-b', 'left');
    await prove(release, 'v3.0.0', 'TEAM-A-1', { left: '' });
    git(clone, 'checkout', '--quiet', '-b', 'right', base);
    const right = await prove(release, 'v3.0.0', 'TEAM-B-1', { right: '' });
    git(clone, 'checkout', '--quiet', 'main');
    git(clone, 'merge', '--quiet', '--no-edit', 'left');
    git(clone, 'push', '--quiet', 'origin', 'main');

    // one of the two proven commits is not merged
    const partial = await longhaul('generation', 'promote', 'v3.0.0');
    expect(partial.exitCode).toBe(9);
    expect(partial.stdout).toContain(
      `  ProofCoversCommitGate: FAIL\n    TEAM-B-1 was proven by v3.0.0-rc.2 at ${right.slice(0, 12)}, which is not an ancestor`,
    );
    git(clone, 'merge', '--quiet', '--no-edit', 'right');
    git(clone, 'push', '--quiet', 'origin', 'main');

    // three green branches are no green merge
    const red = await longhaul('generation', 'promote', 'v3.0.0');
    expect(red.exitCode).toBe(9);
    expect(red.stdout).toContain('failed at the step unit (exit code 1).');
    expect(red.stdout).toContain('\nGeneration v3.0.0 not promoted.\n');
    expect(await stateOf(release, 'v3.0.0')).toEqual({ status: 'draft', commit: null, events: 0, tagged: null });
    const [refusal] = await ledger.sql('SELECT event_type, status FROM audit_events ORDER BY event_id DESC LIMIT 1');
    expect(refusal).toEqual({ event_type: 'generation.refused', status: 'refused' });

    write(clone, { fixed: '' });
    const fixed = commit(clone, 'fix: both together');
    git(clone, 'push', '--quiet', 'origin', 'main');
    const dry = await longhaul('generation', 'promote', 'v3.0.0', '--dry-run');
    expect(dry.exitCode).toBe(9);
    expect(dry.stdout).toContain(`full-ci has not passed on the tree of ${fixed.slice(0, 12)}.`);
    const done = await longhaul('generation', 'promote', 'v3.0.0');
    expect(done.stdout).toBe(PROMOTED('v3.0.0'));
    expect(done.exitCode).toBe(0);
    replayed(`generation/${REPOSITORY}/v3.0.0`);
    // all flows about the generation are found by it; its stages kept their outputs
    const found = await flowsOf(release, 'v3.0.0');
    expect(found.filter((type) => type === 'startEvolution')).toHaveLength(2);
    expect([...new Set(found)].toSorted()).toEqual([
      'announcePromotion',
      'promoteGeneration',
      'proveChange',
      'startEvolution',
    ]);
    const { stage, outputs } = await release.client.workflow
      .getHandle(`generation/${REPOSITORY}/v3.0.0`)
      .query<{ stage: string; outputs: Record<string, unknown> }>('stages');
    expect(stage).toBe('publication');
    expect(Object.keys(outputs)).toEqual(['commit', 'gates', 'assets', 'approval', 'tag', 'promotion', 'publication']);
    expect(outputs['commit']).toMatchObject({ version: 'v3.0.0', packed: { commit: fixed } });
    expect(outputs['tag']).toMatchObject({ object: git(remote, 'rev-parse', 'v3.0.0') });
    expect(await stateOf(release, 'v3.0.0')).toEqual({ status: 'promoted', commit: fixed, events: 1, tagged: fixed });
    // it takes no evolution any more
    const late = await longhaul('evolution', 'start', 'v3.0.0', '--change', 'TEAM-A-1');
    expect(late.exitCode).toBe(9);
    expect(late.stderr).toContain('is promoted, so it takes no evolution.');
    // the tag records the end of the audit chain
    const message = git(remote, 'for-each-ref', '--format=%(contents)', 'refs/tags/v3.0.0');
    const [, event, hash] = /^Longhaul-Audit: (\d+) ([0-9a-f]{64})$/m.exec(message) ?? [];
    expect(await ledger.sql('SELECT hash FROM audit_events WHERE event_id = $1', [event])).toEqual([{ hash }]);
    const kept = await ledger.sql<{ kind: string; blob: string }>(
      "SELECT kind, blob FROM evidence WHERE subject LIKE 'gen-%' ORDER BY kind",
    );
    expect(kept.map(({ kind }) => kind)).toEqual(['generation before its promotion', 'release notes']);
    const notes = (await (await release.blobs.open(kept[1]?.blob ?? '')).toArray()).join('');
    expect(notes).toContain('## Changes\n\n- **TEAM-A-1** The change TEAM-A-1\n');
    expect(notes).toContain(`- both together (${fixed.slice(0, 12)})`);
  });

  test('of a commit with the tree or the pack of another one is refused', async ({ release }) => {
    const { clone, client, remote, ledger } = release;
    const [green] = await ledger.sql<{ tree: string }>("SELECT tree FROM pipeline_runs WHERE status = 'pass' LIMIT 1");
    const red = git(clone, 'rev-parse', 'HEAD~1');
    const mgit = openMgit(join(clone, '..', 'cache'));
    const pack = await mgit.withCommitPack({ id: REPOSITORY, cloneUrl: remote }, red, async (found) => {
      const { digest } = await release.blobs.put(found.pack);
      return { commit: red, tree: green?.tree ?? '', pack: digest, changed: digest };
    });
    const start = { repository: REPOSITORY, version: 'v3.0.0', commit: red, packed: pack };
    const flow = await startDeclared(client, promoteGenerationFlow, start);
    await expect(flow.result()).rejects.toMatchObject({
      cause: { cause: { type: 'InvalidInput', message: expect.stringContaining('does not have the tree') as string } },
    });
  });

  test('whose tag the remote has for something else changes nothing', async ({ release }) => {
    const { clone, remote, longhaul } = release;
    write(clone, { '.gryt/generations/v3.1.0.yaml': generation('v3.1.0', ['FEAT-1']), '.gryt/policy.yaml': '{}' });
    commit(clone, 'chore: contracts');
    await prove(release, 'v3.1.0', 'FEAT-1', { 'a.txt': '1' });
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    git(remote, 'tag', '-a', '-m', 'by hand', 'v3.1.0', 'main');
    const before = git(remote, 'rev-parse', 'v3.1.0');
    const refused = await longhaul('generation', 'promote', 'v3.1.0');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('has another tag v3.1.0');
    expect(git(remote, 'rev-parse', 'v3.1.0')).toBe(before);
    expect(await stateOf(release, 'v3.1.0')).toMatchObject({ status: 'draft', events: 0 });
    git(remote, 'tag', '-d', 'v3.1.0');
    expect((await longhaul('generation', 'promote', 'v3.1.0')).exitCode).toBe(0);
    expect(await stateOf(release, 'v3.1.0')).toMatchObject({ status: 'promoted', events: 1 });
  });

  test('is refused during a freeze, unless a person says why', async ({ release }) => {
    const { clone, ledger, longhaul } = release;
    const freeze = '[{name: until the end, from: 2020-01-01T00:00, until: 2100-01-01T00:00, time_zone: Europe/Berlin}]';
    write(clone, {
      '.gryt/generations/v3.2.0.yaml': generation('v3.2.0', ['FEAT-1']),
      '.gryt/policy.yaml': `promotion:\n  freeze: ${freeze}\n`,
    });
    commit(clone, 'chore: contracts');
    await prove(release, 'v3.2.0', 'FEAT-1', { 'b.txt': '1' });
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const refused = await longhaul('generation', 'promote', 'v3.2.0');
    expect(refused.exitCode).toBe(9);
    expect(refused.stdout).toContain(
      '  FreezeGate: FAIL\n    The freeze "until the end" lasts until 2099-12-31T23:00Z.\n',
    );
    const done = await longhaul('generation', 'promote', 'v3.2.0', '--override-freeze', 'a leak in production');
    expect(done.stdout).toBe(PROMOTED('v3.2.0'));
    expect(
      await ledger.sql(
        "SELECT why FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = 'v3.2.0'",
      ),
    ).toEqual([{ why: 'a leak in production' }]);
  });
});

test('a promotion waits until the soak time since the last proof is over', async ({ release }) => {
  const { clone, client, ledger, longhaul } = release;
  write(clone, {
    '.gryt/generations/v3.4.0.yaml': generation('v3.4.0', ['FEAT-1']),
    '.gryt/policy.yaml': 'promotion:\n  soak: 15s\n',
  });
  commit(clone, 'chore: contracts');
  await prove(release, 'v3.4.0', 'FEAT-1', { 'd.txt': '1' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const running = longhaul('generation', 'promote', 'v3.4.0');
  // a decision that no gate asks for, sent to the flow while it waits
  const forged = { verdict: 'approve', person: 'release-managers' };
  const handle = client.workflow.getHandle(`generation/${REPOSITORY}/v3.4.0`);
  await vi.waitFor(() => handle.signal('decide', forged), { timeout: 60_000, interval: 100 });
  const done = await running;
  expect(done.stdout).toBe(PROMOTED('v3.4.0'));
  const claims = await ledger.sql(
    `SELECT resource_type, actor, status, details_json FROM audit_events
     WHERE event_type = 'gate.refusal' AND resource_id = $1`,
    [handle.workflowId],
  );
  const details = { reason: 'SentToFlow', claim: JSON.stringify(forged) };
  expect(claims).toEqual([{ resource_type: 'workflow', actor: 'unknown', status: 'refused', details_json: details }]);
  const [proven] = await ledger.sql<{ until: Date; promoted: Date }>(
    `SELECT e.completed_at + interval '15 seconds' AS until, g.promoted_at AS promoted
     FROM evolutions e JOIN generations g USING (generation_id) WHERE e.tag = 'v3.4.0-rc.1'`,
  );
  expect(proven?.promoted.getTime()).toBeGreaterThanOrEqual(proven?.until.getTime() ?? Infinity);
  // by a timer of the server, so that no worker must live until then
  const { events } = await client.workflow.getHandle(`generation/${REPOSITORY}/v3.4.0`).fetchHistory();
  expect(events?.filter(({ timerFiredEventAttributes }) => timerFiredEventAttributes)).toHaveLength(1);
  write(clone, { '.gryt/policy.yaml': '{}' });
  commit(clone, 'chore: no soak time');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
});

test('a promotion waits for people, and records who decided; a rejection changes nothing', async ({ release }) => {
  const { clone, client, ledger, longhaul } = release;
  write(clone, {
    '.gryt/generations/v3.3.0.yaml': generation('v3.3.0', ['FEAT-1']),
    '.gryt/policy.yaml': 'promotion:\n  approvals: {needed: 1, from: [release-managers]}\n',
  });
  commit(clone, 'chore: contracts');
  await prove(release, 'v3.3.0', 'FEAT-1', { 'c.txt': '1' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  for (const verdict of ['reject', 'approve']) {
    const running = longhaul('generation', 'promote', 'v3.3.0');
    const id = await openGate(release);
    expect(await stateOf(release, 'v3.3.0')).toMatchObject({ status: 'draft', events: 0, tagged: null });
    // a raw answer decides nothing
    const handle = client.workflow.getHandle(`generation/${REPOSITORY}/v3.3.0`);
    await handle.signal('decide', { verdict: 'approve', person: 'release-managers' });
    const decided = await longhaul(verdict, id, '--why', 'looked at it');
    expect(decided.exitCode).toBe(0);
    const ended = await running;
    expect(ended.exitCode).toBe(verdict === 'reject' ? 9 : 0);
    expect(ended.stdout).toContain(verdict === 'reject' ? 'The approval was rejected: ' : 'promoted successfully!');
  }
  expect(await stateOf(release, 'v3.3.0')).toMatchObject({ status: 'promoted', events: 1 });
  const [event] = await ledger.sql<{ details_json: { approvedBy: string[]; approval: string } }>(
    "SELECT details_json FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = 'v3.3.0'",
  );
  expect(event?.details_json).toMatchObject({ approval: 'unauthenticated' });
  expect(event?.details_json.approvedBy[0]).toContain('looked at it');
  for (const command of ['show', 'status']) {
    expect((await longhaul('generation', command, 'v3.3.0')).stdout).toContain('Approval: unauthenticated');
  }
  write(clone, { '.gryt/policy.yaml': '{}' });
  commit(clone, 'chore: no approvals');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
});

/** The id of the gate that is open. */
async function openGate({ ledger }: Release): Promise<string> {
  return vi.waitFor(
    async () => {
      const [gate] = await ledger.sql<{ gate_id: string }>("SELECT gate_id FROM gates WHERE status = 'open'");
      if (gate === undefined) throw new Error('no gate is open');
      return gate.gate_id;
    },
    { timeout: 60_000, interval: 200 },
  );
}

describe('what follows a promotion', () => {
  const BUILD = `name: full-ci
jobs:
  build:
    artifacts: [dist]
    steps: [{name: build, command: 'mkdir dist && for f in api.tgz cli.tgz notes.txt; do echo "made $f" > dist/$f; done'}]
`;
  const ASSETS = 'promotion:\n  assets: ["dist/*.tgz"]\n';
  /** The rows of the ledger, without what differs in each run. */
  const rowsOf = ({ ledger }: Release, version: string) =>
    ledger.sql<{ name: string; status: string; attempts: number; problem: string | null; digest: string | null }>(
      `SELECT p.kind, p.name, p.status, p.attempts, p.problem, p.digest FROM publications p
       JOIN generations USING (generation_id) WHERE version = $1 ORDER BY p.kind DESC, p.name`,
      [version],
    );

  test('is the release with its files: one that the forge refuses is missing, and a rerun adds it alone', async ({
    release,
  }) => {
    const { clone, client, chat, ledger, longhaul, remote } = release;
    write(clone, {
      '.gryt/generations/v3.6.0.yaml': generation('v3.6.0', ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': BUILD,
      '.gryt/policy.yaml': 'promotion:\n  assets: ["dist/*.tgz", "dist/*.deb"]\n',
    });
    commit(clone, 'chore: files of the release');
    const proven = await prove(release, 'v3.6.0', 'FEAT-1', { 'd.txt': '1' });
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const promote = async (at: string) => {
      const input = { repository: REPOSITORY, version: 'v3.6.0', commit: at, by: 'ada' };
      return (await startDeclared(client, promoteGenerationFlow, input)).result();
    };
    // as long as it can be refused, a file that is not there refuses it
    await expect(promote(proven)).rejects.toMatchObject({
      cause: { type: 'PromotionRefused', message: expect.stringContaining('is the asset dist/*.deb') as string },
    });
    expect(await stateOf(release, 'v3.6.0')).toMatchObject({ status: 'draft', events: 0, tagged: null });

    write(clone, { '.gryt/policy.yaml': ASSETS });
    const at = commit(clone, 'chore: without packages');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const place = await startDescribedPlace('github');
    await place.addTag('v3.6.0');
    const { proxy } = place;
    release.forge.place = place;
    const announced = (all: typeof chat.said) => all.filter(({ version }) => version === 'v3.6.0');
    const recordedOf = (run: string) =>
      ledger.sql<{ event_type: string; published: string[] | null }>(
        `SELECT event_type, details_json -> 'published' AS published FROM audit_events
         WHERE run_id = $1 AND event_type NOT LIKE 'generation.promoted' ORDER BY event_id`,
        [run],
      );
    try {
      // the forge refuses the release, the channel takes nothing, and the answer of the point of no return is lost
      proxy.fault = (request) => (request.startsWith('POST') && request.includes('/releases') ? { status: 403 } : null);
      chat.status = 500;
      release.faults.arm({ activity: 'commitPromotion', kind: 'answer is lost' });
      const stuck = await startDeclared(client, promoteGenerationFlow, {
        repository: REPOSITORY,
        version: 'v3.6.0',
        commit: at,
        by: 'ada',
      });
      await vi.waitUntil(() => release.faults.begun.includes('commitPromotion'), { timeout: 60_000 });
      release.faults.arm(null);
      await vi.waitUntil(() => announced(chat.refused).length > 0, { timeout: 60_000 });
      await vi.waitUntil(async () => (await rowsOf(release, 'v3.6.0')).filter(({ problem }) => problem).length === 2, {
        timeout: 60_000,
      });
      expect((await stuck.describe()).status.name).toBe('RUNNING');
      expect((await longhaul('generation', 'status', 'v3.6.0')).stdout).toContain(
        'Missing: asset api.tgz (PermissionMissing: ',
      );
      // what it has published is recorded by this run, although it is cancelled
      await stuck.cancel();
      await expect(stuck.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
      expect(await recordedOf(stuck.firstExecutionRunId)).toEqual([
        {
          event_type: 'generation.published',
          published: [
            expect.stringMatching(/^notes: /),
            expect.stringMatching(/^release: missing \(/),
            expect.stringMatching(/^asset api\.tgz: missing \(/),
            expect.stringMatching(/^asset cli\.tgz: missing \(/),
          ],
        },
        { event_type: 'publication.cancelled', published: null },
      ]);

      // cli.tgz is refused; the answer for api.tgz is lost after the forge has done it
      let lost = 0;
      proxy.fault = (request) => {
        if (request.includes('name=cli.tgz')) return { status: 403 };
        return request.includes('name=api.tgz') && lost++ === 0 ? 'answer 502' : null;
      };
      chat.status = 200;
      await expect(promote(at)).rejects.toMatchObject({
        cause: {
          type: 'PermissionMissing',
          message: expect.stringContaining('v3.6.0 is promoted, but its asset cli.tgz is missing') as string,
        },
      });
      expect(await stateOf(release, 'v3.6.0')).toEqual({ status: 'promoted', commit: at, events: 1, tagged: at });
      expect(await rowsOf(release, 'v3.6.0')).toMatchObject([
        { kind: 'asset', name: 'api.tgz', status: 'published', attempts: 2, problem: null },
        { kind: 'asset', name: 'cli.tgz', status: 'pending', attempts: 1 },
        { kind: 'announcement', name: 'chat', status: 'published', attempts: 1, problem: null },
      ]);
      expect((await place.releases())[0]?.assets).toEqual({ 'api.tgz': 'made api.tgz\n' });
      const status = await longhaul('generation', 'status', 'v3.6.0');
      expect(status.stdout).toContain('Missing: asset cli.tgz (PermissionMissing: ');
      expect(status.stdout).toContain('Next: longhaul generation promote v3.6.0 --commit v3.6.0\n');

      proxy.fault = null;
      const before = proxy.writes.length;
      const { published } = await promote(at);
      expect(published.filter((line) => /asset|announcement/.test(line))).toEqual([
        expect.stringMatching(/^asset cli\.tgz: http/),
      ]);
      expect(proxy.writes.slice(before)).toEqual([expect.stringContaining('name=cli.tgz')]);
      const [shown] = await place.releases();
      expect(shown).toMatchObject({
        tag: 'v3.6.0',
        assets: { 'api.tgz': 'made api.tgz\n', 'cli.tgz': 'made cli.tgz\n' },
      });
      const rows = await rowsOf(release, 'v3.6.0');
      expect(rows.map(({ status: end, attempts }) => [end, attempts])).toEqual([
        ['published', 2],
        ['published', 2],
        ['published', 1],
      ]);
      expect(rows[1]?.digest).toBe(createHash('sha256').update('made cli.tgz\n').digest('hex'));
      expect(new Set([...announced(chat.refused), ...announced(chat.said)].map(({ id }) => id)).size).toBe(1);
      expect(announced(chat.said)).toEqual([
        expect.objectContaining({ event: 'promoted', repository: REPOSITORY, commit: at, by: 'ada', kind: 'standard' }),
      ]);
      // nothing is missing any more: nothing is sent
      const done = proxy.writes.length;
      await promote(at);
      expect(proxy.writes).toHaveLength(done);
      expect(announced(chat.said)).toHaveLength(1);
      expect(git(remote, 'rev-parse', 'v3.6.0^{commit}')).toBe(at);
      expect(place.violations).toEqual([]);
      release.replayed(`generation/${REPOSITORY}/v3.6.0`);
    } finally {
      release.forge.place = null;
    }
    write(clone, { '.gryt/pipelines/full-ci.yaml': CI, '.gryt/policy.yaml': '{}' });
    commit(clone, 'chore: as before');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  });
});

describe('a hotfix', () => {
  test('of a release without contracts has the policies and pipelines of the default branch, and is proven by them', async ({
    release: { clone, ledger, longhaul, remote },
  }) => {
    write(clone, { '.gryt/pipelines/full-ci.yaml': CI, '.gryt/policy.yaml': POLICY });
    commit(clone, 'chore: contracts');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const [first = ''] = git(remote, 'rev-list', '--max-parents=0', 'main').split('\n');
    expect(git(remote, 'ls-tree', '--name-only', first)).not.toMatch(/gryt|longhaul/);
    git(remote, 'tag', 'v0.9.0', first);
    const created = await longhaul('hotfix', 'create', 'v0.9.0', '--issue', 'CRIT-9', '--title', 'Fix the old one');
    expect(created.exitCode, created.stderr).toBe(0);
    expect(git(remote, 'rev-parse', 'hotfix/v0.9.1~1')).toBe(first);
    const contracts = git(remote, 'ls-tree', '-r', 'main', '.gryt')
      .split('\n')
      .filter((line) => !line.includes('/generations/'));
    expect(contracts.length).toBeGreaterThan(1);
    expect(git(remote, 'diff', '--name-only', first, 'hotfix/v0.9.1').split('\n').toSorted()).toEqual(
      [...contracts.map((line) => line.split('\t')[1] ?? ''), '.gryt/generations/v0.9.1.yaml'].toSorted(),
    );
    // the same blobs, by git
    const branch = git(remote, 'ls-tree', '-r', 'hotfix/v0.9.1', '.gryt').split('\n');
    expect(branch).toEqual(expect.arrayContaining(contracts));
    const back = git(clone, 'rev-parse', 'HEAD');
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'checkout', '--quiet', 'hotfix/v0.9.1');
    expect((await longhaul('release', 'check')).exitCode).toBe(0);
    const fix = await prove({ clone, longhaul }, 'v0.9.1', 'CRIT-9', { fix: 'of the old one' });
    expect(await ledger.sql("SELECT tag, pipeline, status, commit FROM evolutions WHERE change_id = 'CRIT-9'")).toEqual(
      [{ tag: 'v0.9.1-rc.1', pipeline: 'full-ci', status: 'pass', commit: fix }],
    );
    git(clone, 'checkout', '--quiet', '-B', 'main', back);
  });

  test('is the next free patch version, on a branch from the tag, and is promoted as it was proven', async ({
    release,
  }) => {
    const { clone, client, remote, ledger, longhaul, replayed } = release;
    const released = git(remote, 'rev-parse', 'v3.0.0^{commit}');
    // an open generation, which must prove the fix again
    write(clone, {
      '.gryt/generations/v3.5.0.yaml': `# planned for spring\n${generation('v3.5.0', ['FEAT-1'])}`,
    });
    const planned = commit(clone, 'chore: the next version');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    // the next number is taken
    git(remote, 'tag', 'v3.0.1', released);
    const created = await longhaul('hotfix', 'create', 'v3.0.0', '--issue', 'CRIT-500', '--title', 'Fix the leak');
    expect(created.stdout.replace(/gen-[0-9a-f]+/, 'gen-ID')).toBe(`Creating hot-fix for v3.0.0...
Hot-fix generation created: v3.0.2
  Generation ID: gen-ID
  Issue: CRIT-500

Next steps:
  1. longhaul evolution start v3.0.2 --change CRIT-500
  2. Run your pipeline to test the fix
  3. longhaul hotfix promote v3.0.2
`);
    replayed(`hotfix/${REPOSITORY}/v3.0.0`);
    expect(git(remote, 'rev-parse', 'hotfix/v3.0.2~1')).toBe(released);
    expect(git(remote, 'show', '--name-only', '--format=', 'hotfix/v3.0.2')).toBe('.gryt/generations/v3.0.2.yaml');
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'checkout', '--quiet', 'hotfix/v3.0.2');
    const unproven = await longhaul('hotfix', 'promote', 'v3.0.2');
    expect(unproven.exitCode).toBe(9);
    const fix = await prove(release, 'v3.0.2', 'CRIT-500', { 'leak.txt': 'fixed' });
    // a second attempt keeps the gate closed until it ends
    await longhaul('evolution', 'start', 'v3.0.2', '--change', 'CRIT-500');
    const pending = await longhaul('hotfix', 'promote', 'v3.0.2');
    expect(pending.exitCode).toBe(9);
    expect(pending.stdout).toContain(
      '  At least one passing evolution: PASS\n  No pending evolutions: FAIL\n    v3.0.2-rc.2 (CRIT-500) is pending: prove or abandon it.\n',
    );
    await longhaul('evolution', 'abandon', 'v3.0.2-rc.2', '--why', 'not needed');
    // the remote protects the branch that would offer the fix: everything else is published all the same
    git(remote, 'config', 'receive.hideRefs', 'refs/heads/longhaul/merge-v3.0.2');
    const promoted = await longhaul('hotfix', 'promote', 'v3.0.2');
    expect(promoted.stdout).toBe(`Promoting hot-fix: v3.0.2

Running HotfixGate (minimal validation)...
  At least one passing evolution: PASS
  No pending evolutions: PASS

Hot-fix promoted successfully!
Tag created: v3.0.2
`);
    expect(await stateOf(release, 'v3.0.2')).toEqual({ status: 'promoted', commit: fix, events: 1, tagged: fix });
    expect(await flowsOf(release, 'v3.0.2')).toContain('createHotfix');
    const offers = async () => {
      const lines = await ledger.sql<{ line: string }>(
        `SELECT line FROM audit_events, jsonb_array_elements_text(details_json->'published') AS line
         WHERE event_type = 'generation.published' AND resource_id = 'v3.0.2' AND line LIKE 'fix %' ORDER BY event_id`,
      );
      return lines.map(({ line }) => line);
    };
    const refusal =
      'fix for the default branch: missing (local/acme/api does not take the branch longhaul/merge-v3.0.2: ';
    expect(promoted.stderr).toContain(refusal);
    expect(promoted.stderr).toContain('announcement to chat: sent');
    expect(await offers()).toEqual([expect.stringContaining(refusal)]);
    const status = await longhaul('generation', 'status', 'v3.0.2');
    expect(status.stdout).toContain('\nMissing: offer fix for the default branch (local/acme/api does not take');
    expect(status.stdout).toContain('\nNext: longhaul hotfix promote v3.0.2 --commit v3.0.2\n');
    // promoting again offers it to the default branch; a folder has no pull requests
    git(remote, 'config', '--unset', 'receive.hideRefs');
    const again = await longhaul('hotfix', 'promote', 'v3.0.2');
    expect(again.stderr).toContain('fix for the default branch: branch longhaul/merge-v3.0.2\n');
    expect((await longhaul('generation', 'status', 'v3.0.2')).stdout).toContain('\nNext: nothing: it is released\n');
    expect(git(remote, 'rev-parse', 'longhaul/merge-v3.0.2')).toBe(fix);
    expect(await offers()).toEqual([expect.stringContaining(refusal), expect.stringContaining(': branch longhaul/')]);
    // and to the open generation, whose contract is not edited in place
    expect(promoted.stderr).toContain('CRIT-500 for v3.5.0: branch longhaul/v3.0.2-in-v3.5.0\n');
    const offered = git(remote, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/longhaul/v3.0.2-in-*');
    expect(offered).toBe('longhaul/v3.0.2-in-v3.5.0');
    expect(git(remote, 'rev-parse', `${offered}~1`)).toBe(planned);
    expect(git(remote, 'diff', '--name-only', planned, offered)).toBe('.gryt/generations/v3.5.0.yaml');
    const contract = git(remote, 'show', `${offered}:.gryt/generations/v3.5.0.yaml`);
    expect(contract).toMatch(/^# planned for spring\n/);
    expect((parse(contract) as { changes: unknown }).changes).toEqual([
      { type: 'add', id: 'FEAT-1', title: 'The change FEAT-1' },
      { type: 'fix', id: 'CRIT-500', title: 'Fix the leak' },
    ]);
    expect(git(remote, 'rev-parse', 'main')).toBe(planned);
    // at a forge both are pull requests; a repetition finds the branches, also from another head
    write(clone, { 'later.txt': '1' });
    git(clone, 'checkout', '--quiet', '-B', 'main', planned);
    commit(clone, 'feat: later');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const place = await startDescribedPlace('github');
    await place.addTag('v3.0.2');
    for (const name of ['longhaul/merge-v3.0.2', offered]) await place.addBranch(name);
    release.forge.place = place;
    try {
      const input = { repository: REPOSITORY, version: 'v3.0.2', kind: 'hotfix', commit: fix, by: 'ada' } as const;
      for (let times = 0; times < 2; times++) {
        const { published } = await (await startDeclared(client, promoteGenerationFlow, input)).result();
        expect(published).toContainEqual(expect.stringMatching(/^CRIT-500 for v3\.5\.0: http.*\/pull\//));
      }
      const pulls = await place.pulls();
      expect(pulls.map(({ head }) => head)).toEqual(['longhaul/merge-v3.0.2', offered]);
      expect(pulls[1]?.body).toContain('longhaul evolution start v3.5.0 --change CRIT-500');
      expect(place.violations).toEqual([]);
    } finally {
      release.forge.place = null;
    }
    expect(await ledger.sql("SELECT hotfix_of, branch FROM generations WHERE version = 'v3.0.2'")).toEqual([
      { hotfix_of: 'v3.0.0', branch: 'hotfix/v3.0.2' },
    ]);
  });

  test('of a version without a tag on the remote is refused', async ({ release: { longhaul, remote } }) => {
    const refused = await longhaul('hotfix', 'create', 'v9.9.0', '--issue', 'CRIT-1', '--title', 'x');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('has no tag v9.9.0 on its remote.');
    expect(git(remote, 'for-each-ref', 'refs/heads/hotfix/v9.9.1')).toBe('');
  });
});

test('a promoted generation is withdrawn by a decision, and can be promoted again', async ({ release }) => {
  const { clone, remote, ledger, longhaul } = release;
  const again = await longhaul('generation', 'promote', 'v3.1.0');
  expect(again.exitCode).toBe(2);
  // at the same commit only what is missing is published: here nothing
  git(clone, 'fetch', '--quiet', '--tags', 'origin');
  expect((await longhaul('generation', 'promote', 'v3.1.0', '--commit', 'v3.1.0')).exitCode).toBe(0);
  const withdrawn = await longhaul('generation', 'withdraw', 'v3.1.0', '--why', 'leaks', '--tag', 'remove');
  expect(withdrawn.stdout).toBe(
    'Generation v3.1.0 withdrawn: it is a draft again.\nIts tag was removed from the remote.\n',
  );
  expect(tagsOf(remote)).not.toContain('v3.1.0');
  // repeating it does what is missing, and records nothing again
  const repeated = await longhaul('generation', 'withdraw', 'v3.1.0', '--why', 'leaks', '--tag', 'remove');
  expect(repeated.stdout).toContain('The remote had no such tag.');
  expect(tagsOf(remote)).toContain('v3.1.0-rc.1');
  git(clone, 'checkout', '--quiet', 'main');
  write(clone, { '.gryt/generations/v3.1.0.yaml': generation('v3.1.0', ['FEAT-1', 'FIX-LEAK']) });
  await prove(release, 'v3.1.0', 'FIX-LEAK', { 'leak.txt': 'fixed' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const show = await longhaul('generation', 'show', 'v3.1.0');
  expect(show.stdout).toBe(
    'Generation: v3.1.0\nStatus: draft\nChanges:\n  ✓ FEAT-1 (proven by v3.1.0-rc.1)\n  ✓ FIX-LEAK (proven by v3.1.0-rc.2)\n',
  );
  const status = await longhaul('generation', 'status', 'v3.1.0');
  expect(status.stdout).toBe(
    'Generation: v3.1.0\nLedger: draft\nRemote: no tag\nNext: longhaul generation promote v3.1.0\n',
  );
  const promoted = await longhaul('generation', 'promote', 'v3.1.0');
  expect(promoted.exitCode).toBe(0);
  const events = await ledger.sql<{ event_type: string }>(
    "SELECT event_type FROM audit_events WHERE resource_id = 'v3.1.0' AND status = 'success' ORDER BY event_id",
  );
  expect(events.map(({ event_type: type }) => type)).toEqual([
    'generation.promoted',
    'generation.published',
    'generation.withdrawn',
    'generation.promoted',
    'generation.published',
  ]);
  // a publication with the same notes is recorded too
  await longhaul('generation', 'withdraw', 'v3.1.0', '--why', 'once more', '--tag', 'remove');
  expect((await longhaul('generation', 'promote', 'v3.1.0')).exitCode).toBe(0);
  const later = await ledger.sql<{ event_type: string; notes: string | null }>(
    `SELECT event_type, details_json->>'notes' AS notes FROM audit_events
     WHERE resource_id = 'v3.1.0' AND status = 'success' ORDER BY event_id OFFSET 4`,
  );
  expect(later.map(({ event_type: type }) => type)).toEqual([
    'generation.published',
    'generation.withdrawn',
    'generation.promoted',
    'generation.published',
  ]);
  expect(later[3]?.notes).toBe(later[0]?.notes);
  expect((await longhaul('audit', 'verify')).exitCode).toBe(0);
});

test('a promotion of 100 changes, each proven at a commit of its own, has a history of at most 300 events', async ({
  release,
}) => {
  const { clone, client, ledger, longhaul, replayed } = release;
  const changes = Array.from({ length: 100 }, (_, at) => `FEAT-${at + 1}`);
  git(clone, 'checkout', '--quiet', 'main');
  write(clone, { '.gryt/generations/v3.5.0.yaml': generation('v3.5.0', changes) });
  commit(clone, 'chore: contracts');
  const others = changes.slice(1).map((id) => {
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', `feat: the change [${id}]`);
    return git(clone, 'rev-parse', 'HEAD');
  });
  await prove(release, 'v3.5.0', 'FEAT-1', { 'd.txt': '1' });
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  // the proofs of the others are as that of the first
  await ledger.sql(
    `INSERT INTO evolutions (evolution_id, generation_id, change_id, rc, tag, status, pipeline, commit, tree,
       pipeline_run_id, proof, created_by, started_at, completed_at)
     SELECT evolution_id || '-' || n, generation_id, 'FEAT-' || n, n, 'v3.5.0-rc.' || n, status, pipeline, ($1::text[])[n - 1],
       tree, pipeline_run_id, proof, created_by, started_at, completed_at
     FROM evolutions, generate_series(2, 100) n WHERE tag = 'v3.5.0-rc.1'`,
    [others],
  );
  const done = await longhaul('generation', 'promote', 'v3.5.0');
  expect(done.stdout).toBe(PROMOTED('v3.5.0'));
  const id = `generation/${REPOSITORY}/v3.5.0`;
  const { events } = await client.workflow.getHandle(id).fetchHistory();
  expect(events?.length).toBeGreaterThan(30);
  expect(events?.length).toBeLessThanOrEqual(300);
  replayed(id);
});
