import { describe, expect } from 'vitest';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { createHotfixFlow } from '../../../domain/release/flows/hotfix-flow.ts';
import { promoteGenerationFlow } from '../../../domain/release/flows/promotion-flows.ts';
import { git } from '../../support/scratch-git.ts';
import type { Fault, FaultKind } from '../../support/release/faults.ts';
import { type Release, REPOSITORY, test } from '../../support/release/releases.ts';
import { commit, generation, tagsOf, write } from '../../support/release/work.ts';

/** Faults of a normal run: those with `FULL_SWEEP=1` are all. */
const KINDS: readonly FaultKind[] =
  process.env['FULL_SWEEP'] === '1'
    ? ['fails before', 'answer is lost', 'is reached']
    : ['answer is lost', 'is reached'];

const CI = "name: full-ci\nsteps: [{name: unit, command: 'true'}]\n";
/** More than a sweep needs. */
const VERSIONS = Array.from({ length: 80 }, (_, minor) => `v4.${minor}.0`);

/** What git and the ledger say about a version, read without the product. */
async function stateOf({ ledger, remote }: Release, version: string) {
  const rows = await ledger.sql<{ status: string; commit: string | null }>(
    'SELECT status, commit FROM generations WHERE version = $1',
    [version],
  );
  const events = await ledger.sql(
    "SELECT FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = $1",
    [version],
  );
  const tagged = tagsOf(remote).includes(version) ? git(remote, 'rev-parse', `${version}^{commit}`) : null;
  return { status: rows[0]?.status, commit: rows[0]?.commit ?? null, events: events.length, tagged };
}

/** Each fault at each activity of a flow; a flow that is reached is cancelled there. */
function scenarios(activities: readonly string[]): readonly (Fault & { readonly about: string })[] {
  return KINDS.flatMap((kind) => activities.map((name, nth) => ({ kind, nth, about: `${kind}: ${nth} ${name}` })));
}

test(
  'a promotion is done or undone, whatever happens at each of its steps',
  { timeout: 3_600_000 },
  async ({ release }) => {
    const { clone, client, faults, longhaul, replayed } = release;
    const contracts = Object.fromEntries(
      VERSIONS.map((version) => [`.longhaul/generations/${version}.yaml`, generation(version, ['FEAT-1'])]),
    );
    write(clone, { ...contracts, '.longhaul/pipelines/full-ci.yaml': CI });
    const at = commit(clone, 'feat: everything');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const prove = async (version: string): Promise<void> => {
      const input = { repository: REPOSITORY, version, change: 'FEAT-1', commit: at, by: 'ada' };
      await (await startDeclared(client, startEvolutionFlow, input)).result();
    };
    const promote = (version: string) =>
      startDeclared(client, promoteGenerationFlow, { repository: REPOSITORY, version, commit: at, by: 'ada' });
    const done = { status: 'promoted', commit: at, events: 1, tagged: at };
    const undone = { status: 'draft', commit: null, events: 0, tagged: null };

    const versions = [...VERSIONS];
    const reference = versions.shift() ?? '';
    await prove(reference);
    faults.arm(null);
    await (await promote(reference)).result();
    expect(await stateOf(release, reference)).toEqual(done);
    replayed(`generation/${REPOSITORY}/${reference}`);
    const steps = [...faults.begun];
    expect(steps).toContain('commitPromotion');

    const failures: string[] = [];
    let survived = 0;
    for (const { about, ...fault } of scenarios(steps)) {
      const version = versions.shift() ?? '';
      faults.arm(null);
      await prove(version);
      const isCancelled = fault.kind === 'is reached';
      faults.arm({
        ...fault,
        onReached: async () => void (await client.workflow.getHandle(`generation/${REPOSITORY}/${version}`).cancel()),
      });
      const ended = await (await promote(version)).result().then(
        () => 'completed',
        () => 'failed',
      );
      const state = await stateOf(release, version);
      const wanted = isCancelled && state.status === 'draft' ? undone : done;
      try {
        expect(state).toEqual(wanted);
        if (!isCancelled) expect(ended).toBe('completed');
        // what was undone can be done
        faults.arm(null);
        if (wanted === undone) await (await promote(version)).result();
        expect(await stateOf(release, version)).toEqual(done);
        survived++;
      } catch (error) {
        failures.push(`${about}: ${error instanceof Error ? error.message : String(error)}`);
      }
      replayed(`generation/${REPOSITORY}/${version}`);
    }
    process.stderr.write(`faults of a promotion: ${survived} of ${scenarios(steps).length}\n`);
    expect(failures).toEqual([]);
    expect((await longhaul('audit', 'verify')).exitCode).toBe(0);
  },
);

describe('a hotfix', () => {
  test('is opened once or not at all, whatever happens at each step', { timeout: 3_600_000 }, async ({ release }) => {
    const { client, clone, faults, ledger, remote, replayed } = release;
    const base = 'v5.0.0';
    write(clone, {
      [`.longhaul/generations/${base}.yaml`]: generation(base, ['FEAT-1']),
      '.longhaul/pipelines/full-ci.yaml': CI,
    });
    const at = commit(clone, 'feat: released before');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    git(remote, 'tag', base, at);
    const create = () =>
      startDeclared(client, createHotfixFlow, { repository: REPOSITORY, base, issue: 'CRIT-1', title: 'a leak' });
    const opened = async (): Promise<readonly string[]> =>
      (
        await ledger.sql<{ version: string }>(
          "SELECT g.version FROM generations g JOIN audit_events a ON a.resource_id = g.version AND a.event_type = 'hotfix.created' WHERE g.hotfix_of = $1",
          [base],
        )
      )
        .map(({ version }) => version)
        .sort();
    const branches = (): string[] =>
      git(remote, 'for-each-ref', '--format=%(refname:lstrip=3)', 'refs/heads/hotfix')
        .split('\n')
        .filter(Boolean)
        .sort();
    faults.arm(null);
    await (await create()).result();
    const steps = [...faults.begun];
    const failures: string[] = [];
    let count = 1;
    for (const { about, ...fault } of scenarios(steps)) {
      faults.arm({
        ...fault,
        onReached: async () => void (await client.workflow.getHandle(`hotfix/${REPOSITORY}/${base}`).cancel()),
      });
      await (await create()).result().then(
        () => count++,
        () => undefined,
      );
      const versions = await opened();
      if (fault.kind === 'is reached') count = versions.length;
      // a branch for each generation, and the other way round; each has one event
      if (versions.length !== count || branches().join() !== versions.join()) {
        failures.push(`${about}: ${branches().join()} and ${versions.join()}, not ${count}`);
      }
    }
    replayed(`hotfix/${REPOSITORY}/${base}`);
    process.stderr.write(
      `faults of a hotfix: ${scenarios(steps).length - failures.length} of ${scenarios(steps).length}\n`,
    );
    expect(failures).toEqual([]);
  });
});
