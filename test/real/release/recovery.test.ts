import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, vi } from 'vitest';
import { ANCHOR_SCHEDULE } from '../../../activities/release/anchor-schedule.ts';
import { startDeclared } from '../../../client/core/start-flow.ts';
import {
  abandonEvolutionFlow,
  proveChangeFlow,
  startEvolutionFlow,
} from '../../../domain/release/flows/evolution-flows.ts';
import { createHotfixFlow } from '../../../domain/release/flows/hotfix-flow.ts';
import { runPipelineFlow } from '../../../domain/release/flows/pipeline-flows.ts';
import {
  promoteGenerationFlow,
  type PromoteGenerationInput,
  type PromoteGenerationResult,
} from '../../../domain/release/flows/promotion-flows.ts';
import { withdrawGenerationFlow } from '../../../domain/release/flows/withdrawal-flow.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type Release, REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, tagsOf, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const CI = "name: full-ci\nsteps: [{name: unit, command: 'true'}]\n";

/** Proves a change at a commit that the remote has, and returns the commit. */
async function proven({ clone, client }: Release, version: string, more: Readonly<Record<string, string>> = {}) {
  write(clone, {
    [`.gryt/generations/${version}.yaml`]: generation(version, ['FEAT-1']),
    '.gryt/pipelines/full-ci.yaml': CI,
    '.gryt/policy.yaml': '{}',
    [`${version}.txt`]: '',
    ...more,
  });
  const made = pushed(clone, 'feat: a change');
  const input = { repository: REPOSITORY, version, change: 'FEAT-1', commit: made };
  await (await startDeclared(client, startEvolutionFlow, input)).result();
  return made;
}

function pushed(clone: string, message: string): string {
  const made = commit(clone, message);
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  return made;
}

async function promote(
  { client }: Release,
  version: string,
  more: Partial<PromoteGenerationInput> = {},
): Promise<PromoteGenerationResult> {
  return (await startDeclared(client, promoteGenerationFlow, { repository: REPOSITORY, version, ...more })).result();
}

async function withdraw({ client }: Release, version: string, tag: 'keep' | 'remove') {
  return (
    await startDeclared(client, withdrawGenerationFlow, { repository: REPOSITORY, version, why: 'leaks', tag })
  ).result();
}

/** What git and the ledger say: status, commits of row and tag, and how often it was promoted. */
async function stateOf({ ledger, remote }: Release, version: string) {
  const [row] = await ledger.sql<{ status: string; commit: string | null }>(
    'SELECT status, commit FROM generations WHERE version = $1',
    [version],
  );
  const promoted = await ledger.sql(
    "SELECT FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = $1",
    [version],
  );
  const tagged = tagsOf(remote).includes(version) ? git(remote, 'rev-parse', `${version}^{commit}`) : null;
  return { ...row, tagged, promotions: promoted.length };
}

describe('policies at the promotion', () => {
  test('are those of the released commit, also for teams and ranges of versions', async ({ release }) => {
    const { clone } = release;
    const contract = generation('v1.0.0', ['FEAT-1']).replace('id: FEAT-1,', 'id: FEAT-1, team: Team A,');
    await proven(release, 'v1.0.0', { '.gryt/generations/v1.0.0.yaml': contract });
    write(clone, { '.gryt/policy.yaml': 'policies:\n  - {name: team-a, team: Team A, versions: 2.x}\n' });
    pushed(clone, 'chore: a policy');
    const { report } = await promote(release, 'v1.0.0', { dryRun: true });
    const gate = report.gates.find((each) => each.gate === 'ProofCoversCommitGate');
    expect(gate?.reasons[0]).toContain(
      'FEAT-1 violates the policy team-a: Version v1.0.0 is outside the range of Team A: 2.x.',
    );
    await expect(promote(release, 'v1.0.0')).rejects.toMatchObject({ cause: { type: 'PromotionRefused' } });
    expect(await stateOf(release, 'v1.0.0')).toEqual({ status: 'draft', commit: null, tagged: null, promotions: 0 });
  });
});

describe('a commit that the person who releases has made', () => {
  /** Rules of the default branch that the commit leaves out. */
  const RULES = `policies: [{name: two, min_evolutions: 2}]
promotion:
  freeze: [{name: always, from: 2020-01-01T00:00, until: 2100-01-01T00:00}]
`;

  test('is not released unless the remote has it in a branch that is released; nothing is run or pushed', async ({
    release,
  }) => {
    const { clone, ledger, longhaul, remote } = release;
    await proven(release, 'v1.5.0', { '.gryt/policy.yaml': RULES });
    git(clone, 'checkout', '--quiet', '--detach');
    write(clone, { '.gryt/policy.yaml': '{}' });
    const own = commit(clone, 'chore: no rules');
    const before = git(remote, 'for-each-ref');
    for (const dry of [['--dry-run'], []]) {
      const refused = await longhaul('generation', 'promote', 'v1.5.0', '--commit', 'HEAD', ...dry);
      expect(refused.exitCode).toBe(9);
      expect(refused.stdout).toContain(
        `  ProofCoversCommitGate: FAIL\n    ${own.slice(0, 12)} is in no branch that is released on the remote ` +
          '(the default branch main, master, release/*): merge it into one of them.\n',
      );
      // the rules of the default branch hold as well
      expect(refused.stdout).toContain('    1 of at least 2 evolutions passed.\n');
      expect(refused.stdout).toContain('    The freeze "always" lasts until ');
    }
    expect(git(remote, 'for-each-ref')).toBe(before);
    expect(await ledger.sql('SELECT FROM pipeline_runs WHERE commit = $1', [own])).toEqual([]);
    // also in a branch that anyone may push, until it is merged
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/topic');
    expect((await longhaul('generation', 'promote', 'v1.5.0', '--commit', 'HEAD', '--dry-run')).exitCode).toBe(9);
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/release/1.x');
    const kept = await longhaul('generation', 'promote', 'v1.5.0', '--commit', 'HEAD', '--dry-run');
    expect(kept.stdout).not.toContain('is in no branch');
    expect(kept.stdout).toContain('    The freeze "always" lasts until ');
    expect(kept.exitCode).toBe(9);
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main', ':release/1.x', ':topic');
    git(clone, 'checkout', '--quiet', '-B', 'main');
    expect((await longhaul('generation', 'promote', 'v1.5.0', '--commit', 'HEAD')).exitCode).toBe(0);
    expect(await stateOf(release, 'v1.5.0')).toMatchObject({ status: 'promoted', tagged: own });
  });

  test('is released as a hotfix by the rules of the default branch, too', async ({ release }) => {
    const { clone, client, longhaul } = release;
    const input = { repository: REPOSITORY, base: 'v1.5.0', issue: 'CRIT-5', title: 'Fix' };
    const { branch, version } = await (await startDeclared(client, createHotfixFlow, input)).result();
    write(clone, { '.gryt/policy.yaml': RULES });
    pushed(clone, 'chore: rules');
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'checkout', '--quiet', branch);
    write(clone, { 'fix.txt': '' });
    const fix = commit(clone, 'fix: a leak [CRIT-5]');
    const start = ['evolution', 'start', version, '--change', 'CRIT-5', '--commit', 'HEAD'];
    expect((await longhaul(...start)).exitCode).toBe(0);
    for (const dry of [['--dry-run'], []]) {
      const refused = await longhaul('hotfix', 'promote', version, '--commit', 'HEAD', ...dry);
      expect(refused.exitCode).toBe(9);
      expect(refused.stdout).toContain('  FreezeGate: FAIL\n    The freeze "always" lasts until ');
      expect(refused.stdout).not.toContain('is in no branch');
    }
    git(clone, 'checkout', '--quiet', 'main');
    write(clone, { '.gryt/policy.yaml': '{}' });
    pushed(clone, 'chore: no rules');
    const promoted = await promote(release, version, { kind: 'hotfix' });
    expect(promoted.report.commit).toBe(fix);
  });
});

describe('a tag that was kept', () => {
  test('is that of the same commit when it is promoted again, and is never replaced by one of another', async ({
    release,
  }) => {
    const { clone, remote } = release;
    const first = await proven(release, 'v1.1.0');
    await promote(release, 'v1.1.0');
    const object = git(remote, 'rev-parse', 'v1.1.0');
    expect(await withdraw(release, 'v1.1.0', 'keep')).toEqual({ version: 'v1.1.0', tag: 'kept' });
    await promote(release, 'v1.1.0', { commit: first });
    expect(await stateOf(release, 'v1.1.0')).toEqual({
      status: 'promoted',
      commit: first,
      tagged: first,
      promotions: 2,
    });
    expect(git(remote, 'rev-parse', 'v1.1.0')).toBe(object);

    await withdraw(release, 'v1.1.0', 'keep');
    write(clone, { 'later.txt': '' });
    const later = pushed(clone, 'fix: later');
    await expect(promote(release, 'v1.1.0')).rejects.toMatchObject({
      cause: {
        cause: {
          type: 'TagConflict',
          message: expect.stringContaining('`longhaul generation withdraw v1.1.0 --why … --tag remove`') as string,
        },
      },
    });
    expect(await stateOf(release, 'v1.1.0')).toMatchObject({ status: 'draft', tagged: first, promotions: 2 });
    expect(await withdraw(release, 'v1.1.0', 'remove')).toEqual({ version: 'v1.1.0', tag: 'removed' });
    await promote(release, 'v1.1.0');
    expect(await stateOf(release, 'v1.1.0')).toEqual({
      status: 'promoted',
      commit: later,
      tagged: later,
      promotions: 3,
    });
  });
});

describe('a promotion that is terminated between the tag and its record', () => {
  test('leaves a tag that the next one finds as its own, or removes', async ({ release }) => {
    const { clone, client, remote, faults } = release;
    const first = await proven(release, 'v1.2.0');
    const id = `generation/${REPOSITORY}/v1.2.0`;
    const objects: string[] = [];
    for (const why of ['an operator', 'an operator again']) {
      faults.arm({
        activity: 'commitPromotion',
        kind: 'is reached',
        async onReached() {
          await client.workflow.getHandle(id).terminate(why);
          throw new Error('the worker is gone');
        },
      });
      await expect(promote(release, 'v1.2.0')).rejects.toMatchObject({ cause: { name: 'TerminatedFailure' } });
      expect(await stateOf(release, 'v1.2.0')).toEqual({ status: 'draft', commit: null, tagged: first, promotions: 0 });
      objects.push(git(remote, 'rev-parse', 'v1.2.0'));
    }
    faults.arm(null);
    // the second one found the tag of the first
    expect(objects[1]).toBe(objects[0]);
    write(clone, { 'more.txt': '' });
    const later = pushed(clone, 'fix: more');
    await promote(release, 'v1.2.0');
    release.replayed(id);
    expect(await stateOf(release, 'v1.2.0')).toEqual({
      status: 'promoted',
      commit: later,
      tagged: later,
      promotions: 1,
    });
  });
});

describe('a proof whose run is cancelled before its tag is pushed', () => {
  test('gets the tag from the next run at the commit', async ({ release }) => {
    const { clone, client, ledger, remote, faults } = release;
    write(clone, { '.gryt/generations/v1.3.0.yaml': generation('v1.3.0', ['FEAT-1']) });
    const made = pushed(clone, 'feat: a change');
    await (
      await startDeclared(client, startEvolutionFlow, { repository: REPOSITORY, version: 'v1.3.0', change: 'FEAT-1' })
    ).result();
    const input = { repository: REPOSITORY, pipeline: 'full-ci', commit: made, evolution: 'v1.3.0-rc.1' };
    faults.arm({
      activity: 'pushCandidate',
      kind: 'is reached',
      async onReached() {
        await client.workflow.getHandle(`prove/${REPOSITORY}/full-ci/${made}`).cancel();
        throw new Error('the worker is gone');
      },
    });
    const ended = (await startDeclared(client, proveChangeFlow, input)).result();
    // by the cancellation, or by the failure of the activity: whichever the server has first
    await expect(ended.finally(() => faults.arm(null))).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(await ledger.sql("SELECT status FROM evolutions WHERE tag = 'v1.3.0-rc.1'")).toEqual([{ status: 'pass' }]);
    expect(tagsOf(remote)).not.toContain('v1.3.0-rc.1');
    await (await startDeclared(client, proveChangeFlow, input)).result();
    expect(git(remote, 'rev-parse', 'v1.3.0-rc.1^{commit}')).toBe(made);
    expect(git(remote, 'cat-file', '-t', 'v1.3.0-rc.1')).toBe('tag');
    release.replayed(`prove/${REPOSITORY}/full-ci/${made}`);
  });
});

describe('a tag of a candidate that the remote has for something else', () => {
  test('does not hold up the tags of other changes that the pipeline proves at the commit', async ({ release }) => {
    const { clone, client, remote } = release;
    write(clone, { '.gryt/generations/v1.9.0.yaml': generation('v1.9.0', ['FEAT-1', 'FEAT-2']) });
    const made = pushed(clone, 'feat: two changes');
    for (const change of ['FEAT-1', 'FEAT-2']) {
      const input = { repository: REPOSITORY, version: 'v1.9.0', change };
      await (await startDeclared(client, startEvolutionFlow, input)).result();
    }
    git(remote, 'tag', 'v1.9.0-rc.1', `${made}~1`);
    for (const evolution of ['v1.9.0-rc.1', 'v1.9.0-rc.2']) {
      const input = { repository: REPOSITORY, pipeline: 'full-ci', commit: made, evolution };
      await expect((await startDeclared(client, proveChangeFlow, input)).result()).rejects.toMatchObject({
        cause: { cause: { type: 'TagConflict' } },
      });
    }
    expect(git(remote, 'rev-parse', 'v1.9.0-rc.2^{commit}')).toBe(made);
    expect(git(remote, 'rev-parse', 'v1.9.0-rc.1^{commit}')).not.toBe(made);
  });
});

describe('a hotfix', () => {
  test('is offered again to the default branch, whose branch has grown and however it is promoted', async ({
    release,
  }) => {
    const { clone, client, remote } = release;
    const input = { repository: REPOSITORY, base: 'v1.2.0', issue: 'CRIT-1', title: 'Fix' };
    const { branch } = await (await startDeclared(client, createHotfixFlow, input)).result();
    git(clone, 'fetch', '--quiet', 'origin');
    git(clone, 'checkout', '--quiet', branch);
    write(clone, { 'fix.txt': '' });
    const fix = commit(clone, 'fix: the leak');
    git(clone, 'push', '--quiet', 'origin', 'HEAD');
    const start = { repository: REPOSITORY, version: 'v1.2.1', change: 'CRIT-1', commit: fix };
    await (await startDeclared(client, startEvolutionFlow, start)).result();
    const offered = 'fix for the default branch: branch longhaul/merge-v1.2.1';
    expect((await promote(release, 'v1.2.1', { kind: 'hotfix' })).published).toContain(offered);
    // a person resolves a conflict there
    write(clone, { 'resolved.txt': '' });
    const grown = commit(clone, 'chore: resolve a conflict');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:longhaul/merge-v1.2.1');
    expect((await promote(release, 'v1.2.1', { commit: fix })).published).toContain(offered);
    expect(git(remote, 'rev-parse', 'longhaul/merge-v1.2.1')).toBe(grown);
    git(clone, 'checkout', '--quiet', 'main');
  });

  test('takes over the branch of one that was terminated, and passes over the version of another branch', async ({
    release,
  }) => {
    const { client, faults, ledger, remote } = release;
    const base = 'v1.2.0';
    const create = async (title: string) => {
      const input = { repository: REPOSITORY, base, issue: 'CRIT-2', title };
      return (await startDeclared(client, createHotfixFlow, input)).result();
    };
    const terminated = async (title: string): Promise<void> => {
      faults.arm({
        activity: 'openHotfix',
        kind: 'is reached',
        async onReached() {
          await client.workflow.getHandle(`hotfix/${REPOSITORY}/${base}`).terminate('an operator');
          throw new Error('the worker is gone');
        },
      });
      await expect(create(title)).rejects.toMatchObject({ cause: { name: 'TerminatedFailure' } });
      faults.arm(null);
    };
    const [last] = await ledger.sql<{ patch: number }>(
      "SELECT max(split_part(version, '.', 3)::int) AS patch FROM generations WHERE version ~ '^v1[.]2[.][0-9]+$'",
    );
    const [first, second, third] = [1, 2, 3].map((more) => `v1.2.${(last?.patch ?? 0) + more}`);
    await terminated('Fix the leak');
    const left = git(remote, 'rev-parse', `hotfix/${first}`);
    expect(await create('Fix the leak')).toMatchObject({ version: first, commit: left });
    await terminated('Fix the flood');
    expect(git(remote, 'rev-parse', `hotfix/${second}`)).toMatch(/^[0-9a-f]{40}$/);
    expect(await create('Fix the drought')).toMatchObject({ version: third, branch: `hotfix/${third}` });
    release.replayed(`hotfix/${REPOSITORY}/${base}`);
    const opened = 'SELECT version FROM generations WHERE hotfix_of = $1 AND version = ANY($2) ORDER BY version';
    expect(await ledger.sql(opened, [base, [first, second, third]])).toEqual([{ version: first }, { version: third }]);
  });
});

describe('the contract of a generation', () => {
  test('is not taken from an old clone, whose contract lacks what the ledger has', async ({ release }) => {
    const { clone, client, ledger, longhaul } = release;
    const start = async (more: object) =>
      (
        await startDeclared(client, startEvolutionFlow, {
          repository: REPOSITORY,
          version: 'v1.4.0',
          change: 'FEAT-1',
          ...more,
        })
      ).result();
    const recorded = async () => {
      const [row] = await ledger.sql<{ digest: string; changes: string[]; titles: string[] }>(
        `SELECT contract_digest AS digest, array_agg(change_id ORDER BY position) AS changes,
           array_agg(title ORDER BY position) AS titles
         FROM generations JOIN generation_changes USING (generation_id) WHERE version = 'v1.4.0' GROUP BY 1`,
      );
      return row;
    };
    const path = '.gryt/generations/v1.4.0.yaml';
    write(clone, {
      [path]: generation('v1.4.0', ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': CI,
      '.gryt/policy.yaml': '{}',
    });
    const old = pushed(clone, 'chore: a contract');
    await start({ request: 'first', commit: old });
    write(clone, { [path]: generation('v1.4.0', ['FEAT-1', 'FEAT-2']) });
    const newer = pushed(clone, 'chore: one change more');
    await start({ request: 'more', commit: newer });
    const before = await recorded();
    expect(before?.changes).toEqual(['FEAT-1', 'FEAT-2']);
    await expect(start({ request: 'old', commit: old })).rejects.toMatchObject({
      cause: {
        cause: {
          type: 'GenerationDiffers',
          message: expect.stringContaining(
            `FEAT-2 is missing. Pull that one; or, if yours replaces it, start an evolution with --replaces ${before?.digest.slice(0, 12)}.`,
          ) as string,
        },
      },
    });
    expect(await recorded()).toEqual(before);
    // nor may a promotion of an old commit leave it out
    await expect(promote(release, 'v1.4.0', { commit: old })).rejects.toMatchObject({
      cause: { cause: { type: 'GenerationDiffers' } },
    });
    expect(await recorded()).toEqual(before);
    // the clone has the recorded contract in its history, so its edit is made from it
    write(clone, { [path]: generation('v1.4.0', ['FEAT-1', 'FEAT-2']).replace('The change FEAT-2', 'Another title') });
    expect((await longhaul('evolution', 'start', 'v1.4.0', '--change', 'FEAT-1')).exitCode).toBe(0);
    const edited = await recorded();
    expect(edited?.titles[1]).toBe('Another title');
    await start({ request: 'replaced', commit: old, replaces: [edited?.digest.slice(0, 12)] });
    expect((await recorded())?.changes).toEqual(['FEAT-1']);
    git(clone, 'checkout', '--quiet', '.');
  });
});

describe('every refusal', () => {
  const OF = { repository: REPOSITORY };
  test.for([
    ['promoteGeneration', { ...OF, version: 'v9.0.0' }, 'generation.refused', 'v9.0.0', 'InvalidInput'],
    [
      'promoteGeneration',
      { ...OF, version: 'v1.1.0', commit: 'HEAD~1' },
      'generation.refused',
      'v1.1.0',
      'InvalidInput',
    ],
    ['promoteGeneration', { ...OF, version: 'v1.1.0', kind: 'hotfix' }, 'generation.refused', 'v1.1.0', 'InvalidInput'],
    [
      'promoteGeneration',
      { ...OF, version: 'v9.0.0', kind: 'hotfix' },
      'generation.refused',
      'v9.0.0',
      'PromotionRefused',
    ],
    [
      'promoteGeneration',
      { ...OF, version: 'v1.3.0', commit: 'f'.repeat(40) },
      'generation.refused',
      'v1.3.0',
      'InvalidInput',
    ],
    ['promoteGeneration', { ...OF, version: 'one' }, 'generation.refused', 'one', 'InvalidInput'],
    ['promoteGeneration', {}, 'generation.refused', 'unknown', 'InvalidInput'],
    ['withdrawGeneration', { ...OF, version: 'v1.0.0', why: 'x' }, 'generation.refused', 'v1.0.0', 'InvalidInput'],
    ['withdrawGeneration', { ...OF, version: 'v9.0.0', why: 'x' }, 'generation.refused', 'v9.0.0', 'InvalidInput'],
    [
      'createHotfix',
      { ...OF, base: 'v9.0.0', issue: 'CRIT-2', title: 'x' },
      'hotfix.refused',
      'v9.0.0',
      'InvalidInput',
    ],
    [
      'startEvolution',
      { ...OF, version: 'v9.0.0', change: 'FEAT-1' },
      'evolution.refused',
      'v9.0.0 FEAT-1',
      'InvalidInput',
    ],
    [
      'startEvolution',
      { ...OF, version: 'v1.3.0', change: 'FEAT-9' },
      'evolution.refused',
      'v1.3.0 FEAT-9',
      'InvalidInput',
    ],
    [
      'startEvolution',
      { ...OF, version: 'v1.1.0', change: 'FEAT-1' },
      'evolution.refused',
      'v1.1.0 FEAT-1',
      'GenerationDiffers',
    ],
    [
      'abandonEvolution',
      { ...OF, evolution: 'v9.0.0-rc.1', why: 'x' },
      'evolution.refused',
      'v9.0.0-rc.1',
      'InvalidInput',
    ],
    [
      'abandonEvolution',
      { ...OF, evolution: 'v1.3.0-rc.1', why: 'x' },
      'evolution.refused',
      'v1.3.0-rc.1',
      'EvolutionEnded',
    ],
    [
      'proveChange',
      { ...OF, pipeline: 'full-ci', evolution: 'v9.0.0-rc.1' },
      'evolution.refused',
      'full-ci',
      'InvalidInput',
    ],
    ['runPipeline', { ...OF, pipeline: 'no-ci' }, 'pipeline.refused', 'no-ci', 'InvalidConfiguration'],
  ] as const)('of %s %j is one event', async ([type, given, event, subject, reason], { release }) => {
    const { client, clone, ledger } = release;
    const revision = (given as { commit?: string }).commit;
    const at = revision === 'HEAD~1' ? { commit: git(clone, 'rev-parse', 'origin/main~1') } : {};
    const flow = FLOWS_BY_TYPE[type];
    const handle = await client.workflow.start(type, {
      taskQueue: 'longhaul-flows',
      workflowId: refusedId(flow, { ...given, ...at }),
      args: [{ ...given, ...at, by: 'eve' }],
    });
    await expect(handle.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
    const events = await ledger.sql(
      `SELECT event_type, resource_id, status, actor, authenticated_by, details_json ->> 'reason' AS reason
       FROM audit_events WHERE run_id = $1`,
      [handle.firstExecutionRunId],
    );
    const who = { actor: 'eve', authenticated_by: 'unauthenticated' };
    expect(events).toEqual([{ event_type: event, resource_id: subject, status: 'refused', ...who, reason }]);
  });
});

const FLOWS_BY_TYPE = {
  promoteGeneration: promoteGenerationFlow,
  withdrawGeneration: withdrawGenerationFlow,
  createHotfix: createHotfixFlow,
  startEvolution: startEvolutionFlow,
  abandonEvolution: abandonEvolutionFlow,
  proveChange: proveChangeFlow,
  runPipeline: runPipelineFlow,
};

/** The id that is the flow's lock, so that no child does the work; any id for an input that has none. */
function refusedId(flow: { id(input: never): unknown; type: string }, input: object): string {
  const id = flow.id({ request: '1', ...input } as never);
  return typeof id === 'string' ? id : flow.type;
}

test('the heartbeat of a running job has the end of its output, without secrets, where the Temporal UI shows it', async ({
  release,
}) => {
  const { clone, client } = release;
  const token = `ghp_${'a1B2'.repeat(9)}`;
  write(clone, {
    '.gryt/pipelines/talks.yaml': `name: talks\nsteps: [{name: talk, command: 'echo working with ${token}; sleep 600'}]\n`,
  });
  const made = pushed(clone, 'chore: a pipeline that talks');
  const handle = await startDeclared(client, runPipelineFlow, {
    repository: REPOSITORY,
    pipeline: 'talks',
    commit: made,
  });
  const tail = async (): Promise<string> => {
    const { raw } = await handle.describe();
    const beats = (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => heartbeatDetails?.payloads ?? []);
    return beats.map(({ data }) => Buffer.from(data ?? []).toString('utf8')).join('\n');
  };
  try {
    await expect.poll(tail, { timeout: 60_000, interval: 200 }).toContain('working with [redacted]');
    expect(await tail()).not.toContain(token);
  } finally {
    await handle.cancel();
  }
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
});

describe('every cancellation', () => {
  const OF = { repository: REPOSITORY };
  // each is cancelled when its first activity is reached
  test.for([
    ['promoteGeneration', { ...OF, version: 'v1.0.0' }, 'packCommit', 'generation.cancelled', 'v1.0.0'],
    [
      'withdrawGeneration',
      { ...OF, version: 'v1.1.0', why: 'x' },
      'withdrawGeneration',
      'generation.cancelled',
      'v1.1.0',
    ],
    [
      'createHotfix',
      { ...OF, base: 'v1.1.0', issue: 'CRIT-3', title: 'x' },
      'findRelease',
      'hotfix.cancelled',
      'v1.1.0',
    ],
    [
      'startEvolution',
      { ...OF, version: 'v1.0.0', change: 'FEAT-1' },
      'packCommit',
      'evolution.cancelled',
      'v1.0.0 FEAT-1',
    ],
    ['proveChange', { ...OF, pipeline: 'full-ci' }, 'packCommit', 'evolution.cancelled', 'full-ci'],
    ['runPipeline', { ...OF, pipeline: 'full-ci' }, 'packCommit', 'pipeline.cancelled', 'full-ci'],
  ] as const)('of %s %j at %s is one event', async ([type, given, activity, event, subject], { release }) => {
    const { client, faults, ledger } = release;
    const workflowId = refusedId(FLOWS_BY_TYPE[type], given);
    const handle = client.workflow.getHandle(workflowId);
    faults.arm({
      activity,
      kind: 'is reached',
      async onReached() {
        faults.arm(null);
        await client.workflowService.requestCancelWorkflowExecution({
          namespace: client.options.namespace,
          workflowExecution: { workflowId },
          identity: 'an operator',
          reason: 'not today',
        });
        // its transaction is not waited for: here it does not happen
        if (activity === 'withdrawGeneration') throw new Error('the worker is gone');
      },
    });
    const { firstExecutionRunId: run } = await client.workflow.start(type, {
      taskQueue: 'longhaul-flows',
      workflowId,
      args: [{ ...given, by: 'eve' }],
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(
      await ledger.sql(
        `SELECT event_type, resource_id, status, actor, authenticated_by, why, workflow_id,
           details_json ->> 'reason' AS reason, details_json ->> 'cancelledBy' AS by
         FROM audit_events WHERE run_id = $1`,
        [run],
      ),
    ).toEqual([
      {
        event_type: event,
        resource_id: subject,
        status: 'failure',
        actor: 'eve',
        authenticated_by: 'unauthenticated',
        why: 'not today',
        workflow_id: workflowId,
        reason: 'Cancelled',
        by: 'an operator',
      },
    ]);
  });
});

describe('a start while another run has the workflow id', () => {
  test('is an event, although no run exists for it', async ({ release }) => {
    const { client, faults, ledger, longhaul } = release;
    const workflowId = `generation/${REPOSITORY}/v1.1.0`;
    const refusals = () =>
      ledger.sql(
        `SELECT event_type, status, actor, authenticated_by, run_id, details_json ->> 'reason' AS reason
         FROM audit_events WHERE workflow_id = $1 AND action = 'withdrawGeneration' AND run_id IS NULL`,
        [workflowId],
      );
    faults.arm({
      activity: 'packCommit',
      kind: 'is reached',
      async onReached() {
        faults.arm(null);
        const refused = await longhaul('generation', 'withdraw', 'v1.1.0', '--why', 'leaks');
        expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is being promoted') as string });
        await client.workflow.getHandle(workflowId).cancel();
        throw new Error('the worker is gone');
      },
    });
    await expect(promote(release, 'v1.1.0')).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await refusals()).toEqual([
      {
        event_type: 'start.refused',
        status: 'refused',
        actor: 'tester',
        authenticated_by: 'unauthenticated',
        run_id: null,
        reason: 'PipelineBusy',
      },
    ]);
  });
});

describe('a person who gives up on what could not be undone', () => {
  test('is an event after that of the failure, with the reason and what is left', async ({ release }) => {
    const { clone, client, faults, ledger, longhaul, remote } = release;
    const at = await proven(release, 'v5.0.0');
    const workflowId = `generation/${REPOSITORY}/v5.0.0`;
    faults.arm({
      activity: 'commitPromotion',
      kind: 'is reached',
      async onReached() {
        // it is neither promoted, nor can its tag be removed
        faults.arm({
          activity: 'removeRelease',
          kind: 'is reached',
          onReached: () => Promise.reject(new LonghaulError('PermissionMissing', 'it takes no deletion')),
        });
        throw new LonghaulError('PromotionRefused', 'not any more');
      },
    });
    const handle = await startDeclared(client, promoteGenerationFlow, {
      repository: REPOSITORY,
      version: 'v5.0.0',
      by: 'ada',
    });
    await vi.waitUntil(() => faults.begun.includes('removeRelease'), { timeout: 60_000 });
    const repair = () => longhaul('repair', workflowId, '--give-up', '--why', 'the tag may stay');
    await expect.poll(async () => (await repair()).stdout, { timeout: 30_000 }).toContain('Undo by hand');
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'RollbackIncomplete' } });
    faults.arm(null);
    expect(git(remote, 'rev-parse', 'v5.0.0^{commit}')).toBe(at);
    expect(
      await ledger.sql(
        `SELECT event_type, resource_id, status, actor, authenticated_by, why, details_json ->> 'reason' AS reason,
           details_json -> 'left' ->> 0 AS left
         FROM audit_events WHERE run_id = $1 ORDER BY event_id`,
        [handle.firstExecutionRunId],
      ),
    ).toEqual([
      {
        event_type: 'generation.refused',
        resource_id: 'v5.0.0',
        status: 'refused',
        actor: 'ada',
        authenticated_by: 'unauthenticated',
        why: null,
        reason: 'PromotionRefused',
        left: null,
      },
      {
        event_type: 'generation.given_up',
        resource_id: 'v5.0.0',
        status: 'success',
        actor: 'tester',
        authenticated_by: 'unauthenticated',
        why: 'the tag may stay',
        reason: null,
        left: 'remove the tag v5.0.0: it takes no deletion',
      },
    ]);
    git(clone, 'push', '--quiet', 'origin', ':refs/tags/v5.0.0');
  });
});

test('a schedule records the end of the audit trail every hour, and verify compares with it', async ({ release }) => {
  const { client, ledger, longhaul } = release;
  const schedule = client.schedule.getHandle(ANCHOR_SCHEDULE);
  const { spec, action } = await schedule.describe();
  expect(spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  expect(action).toMatchObject({ workflowType: 'anchorAudit' });
  await schedule.trigger();
  const [end] = await ledger.sql<{ event_id: string }>('SELECT event_id FROM ledger');
  const last = Number(end?.event_id);
  await expect
    .poll(async () => (await longhaul('audit', 'verify')).stdout, { timeout: 60_000, interval: 500 })
    .toContain('one anchor agrees');
  // the last event is cut off, and its place in the ledger is changed with it
  await ledger.sql('DELETE FROM audit_events WHERE event_id = $1', [last]);
  await ledger.sql('UPDATE ledger SET event_id = $1, hash = (SELECT hash FROM audit_events WHERE event_id = $1)', [
    last - 1,
  ]);
  const verified = await longhaul('audit', 'verify');
  expect(verified.exitCode).toBe(7);
  expect(verified.stderr).toContain('was cut off at the end');
});

describe('a failure that is recorded while another run of the change is judged', () => {
  test('is superseded by its pass, whose commit descends from it', async ({ release }) => {
    const { clone, client, faults, ledger } = release;
    write(clone, {
      '.gryt/generations/v4.0.0.yaml': generation('v4.0.0', ['FEAT-1']),
      '.gryt/pipelines/full-ci.yaml': "name: full-ci\nsteps: [{name: unit, command: 'test -f mended'}]\n",
      '.gryt/policy.yaml': '{}',
    });
    const broken = pushed(clone, 'feat: it does not work');
    write(clone, { mended: '' });
    const mended = pushed(clone, 'fix: it works');
    for (const by of ['ada', 'bob']) {
      const input = { repository: REPOSITORY, version: 'v4.0.0', change: 'FEAT-1', by };
      await (await startDeclared(client, startEvolutionFlow, input)).result();
    }
    const prove = async (evolution: string, at: string) => {
      const input = { repository: REPOSITORY, pipeline: 'full-ci', evolution, commit: at };
      return (await startDeclared(client, proveChangeFlow, input)).result();
    };
    faults.arm({
      activity: 'judgeEvolution',
      kind: 'is reached',
      onReached: async () => {
        faults.arm(null);
        await expect(prove('v4.0.0-rc.2', broken)).rejects.toMatchObject({ cause: { type: 'PipelineFailed' } });
      },
    });
    await prove('v4.0.0-rc.1', mended);
    expect(
      await ledger.sql(
        "SELECT tag, status, commit, superseded_by FROM evolutions WHERE tag LIKE 'v4.0.0-%' ORDER BY rc",
      ),
    ).toEqual([
      { tag: 'v4.0.0-rc.1', status: 'pass', commit: mended, superseded_by: null },
      { tag: 'v4.0.0-rc.2', status: 'fail', commit: broken, superseded_by: 'v4.0.0-rc.1' },
    ]);
  });
});
