import { expect, vi } from 'vitest';
import { startDeclared } from '../../client/core/start-flow.ts';
import { startEvolutionFlow } from '../../domain/release/flows/evolution-flows.ts';
import { createHotfixFlow } from '../../domain/release/flows/hotfix-flow.ts';
import { promoteGenerationFlow } from '../../domain/release/flows/promotion-flows.ts';
import { withdrawGenerationFlow } from '../../domain/release/flows/withdrawal-flow.ts';
import { recordHistory } from '../support/record-history.ts';
import { collectRuns } from '../support/recorded-runs.ts';
import { REPOSITORY, test } from '../support/release/releases.ts';
import { commit, generation, write } from '../support/release/work.ts';
import { git } from '../support/scratch-git.ts';

const VERSION = 'v1.0.0';
const CI = `name: full-ci
jobs:
  unit: {steps: [{name: unit, command: 'test ! -e broken'}]}
  scan: {needs: [unit], steps: [{name: security-scan, command: 'test -f README.md'}]}
`;
const POLICY = `policies: [{name: scan-always, required_steps: [security-scan]}]
promotion: {approvals: {needed: 1, from: [release-managers]}}
`;

/** Run by `npm run histories`: later versions must replay these histories. */
test('records one history of each kind of the release flows', async ({ release }) => {
  const { clone, client, ledger, longhaul, replayed } = release;
  const given = { repository: REPOSITORY, by: 'ada' };
  const evolve = async (version: string, change: string, at: string) => {
    const flow = await startDeclared(client, startEvolutionFlow, { ...given, version, change, commit: at });
    await flow.result().catch(() => undefined);
    return flow;
  };
  write(clone, {
    '.longhaul/policy.yaml': POLICY,
    [`.longhaul/generations/${VERSION}.yaml`]: generation(VERSION, ['FEAT-1']),
    '.longhaul/pipelines/full-ci.yaml': CI,
    broken: '',
  });
  const broken = commit(clone, 'feat: a change [FEAT-1]');
  git(clone, 'rm', '--quiet', 'broken');
  const proven = commit(clone, 'fix: the change [FEAT-1]');
  write(clone, { more: '' });
  const released = commit(clone, 'docs: more');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

  await evolve(VERSION, 'FEAT-1', broken);
  const proof = await evolve(VERSION, 'FEAT-1', proven);
  // the tree that is released has not been run, and people must approve
  const promotion = await startDeclared(client, promoteGenerationFlow, {
    ...given,
    version: VERSION,
    commit: released,
  });
  await approve();
  await promotion.result();
  const hotfix = await startDeclared(client, createHotfixFlow, {
    ...given,
    base: VERSION,
    issue: 'CRIT-1',
    title: 'a leak',
  });
  const { version: patch, branch } = await hotfix.result();
  git(clone, 'fetch', '--quiet', 'origin');
  git(clone, 'checkout', '--quiet', branch);
  write(clone, { leak: 'fixed' });
  const fix = commit(clone, 'fix: a leak [CRIT-1]');
  git(clone, 'push', '--quiet', 'origin', branch);
  await evolve(patch, 'CRIT-1', fix);
  const second = await startDeclared(client, promoteGenerationFlow, { ...given, version: patch, kind: 'hotfix' });
  await approve();
  await second.result();
  const withdrawal = await startDeclared(client, withdrawGenerationFlow, {
    ...given,
    version: patch,
    why: 'it was wrong',
    tag: 'remove',
  });
  await withdrawal.result();

  replayed(second.workflowId);
  recordHistory('promoteHotfix', await second.fetchHistory());
  const started = [proof, promotion, hotfix, withdrawal].map((flow): [string, string] => [
    flow.workflowId,
    flow.firstExecutionRunId,
  ]);
  const kinds = new Set<string>();
  for (const { history } of await collectRuns(client, started)) {
    const kind = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    recordHistory(kind, history);
  }
  expect([...kinds].sort()).toEqual([
    'announcePromotion',
    'createHotfix',
    'promoteGeneration',
    'proveChange',
    'runPipeline',
    'startEvolution',
    'withdrawGeneration',
  ]);

  /** Decides as a person, as soon as a promotion waits for one. */
  async function approve(): Promise<void> {
    const id = await vi.waitFor(
      async () => {
        const [gate] = await ledger.sql<{ gate_id: string }>("SELECT gate_id FROM gates WHERE status = 'open'");
        if (gate === undefined) throw new Error('no gate is open');
        return gate.gate_id;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect((await longhaul('approve', id, '--why', 'looked at it')).exitCode).toBe(0);
  }
});
