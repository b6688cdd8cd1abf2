import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { FAILURES } from '../../../domain/shared/failures.ts';
import { API_FAULTS, every, FAULTS } from '../../support/faults.ts';
import type { EnforcedLimits } from '../../support/forge-limits.ts';
import type { Forge } from '../../support/forge.ts';
import { type FlowsFixture, test } from '../../support/catalog/flows.ts';
import { groupOf, runGroup } from '../../support/catalog/group-run.ts';
import { indexLikeTemplate } from '../../support/catalog/seeded-index.ts';
import {
  addressesAt,
  commitToAll,
  likeTemplate,
  makeTemplate,
  startTemplateForge,
  TOKEN,
} from '../../support/template-forge.ts';

const forges = new Map<string, Forge>();

/** Repositories at a forge that enforces limits, which the provider `work` respects. */
function atForge(names: readonly string[], limits: EnforcedLimits): void {
  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const forge = await startTemplateForge(root, names, { token: TOKEN, limits });
    forges.set(root, forge);
    vi.stubEnv('FORGE_TOKEN', TOKEN);
    onCleanup(async () => {
      vi.unstubAllEnvs();
      await forge.close();
    });
    const { hourly: _hourly, ...kept } = limits;
    return [{ name: 'work', type: 'github', url: forge.url, tokenEnv: 'FORGE_TOKEN', limits: kept }];
  });
}

function forgeOf({ estate }: FlowsFixture): Forge {
  const forge = forges.get(estate.root);
  if (!forge) throw new Error('no forge was started');
  return forge;
}

/** Indexes these repositories of the forge at their common commit. */
async function indexed(flows: FlowsFixture, names: readonly string[]): Promise<void> {
  const { estate, tools } = flows;
  await indexLikeTemplate(tools, join(estate.root, 'template.git'), addressesAt(forgeOf(flows), names, 'work'));
}

/** The repositories whose receipt is at a commit. */
async function indexedAt({ tools }: FlowsFixture, commit: string): Promise<string[]> {
  const receipts = await tools.store.receipts();
  return receipts.filter((receipt) => receipt.commit === commit).map(({ repository }) => repository);
}

describe('1,000 repositories of 20 organizations, a group each', () => {
  const names = Array.from({ length: 1_000 }, (_, at) => `fleet${at % 20}/r${at}`);
  const changed = names.slice(0, 40);
  const hourly = { limit: 12, ms: 3_000 };
  atForge(names, { concurrency: 8, restPerMinute: 120, graphqlPerMinute: 120, hourly });

  test('are synced through faults: complete, and no limit exceeded', { timeout: 600_000 }, async ({ flows }) => {
    const { estate, client } = flows;
    const forge = forgeOf(flows);
    await indexed(flows, names);
    const paths = changed.map((name) => join(forge.root, `${name}.git`));
    const commit = commitToAll(join(estate.root, 'template.git'), 'export const a = 2;\n', paths);
    forge.refuse = every(4, API_FAULTS);
    // a failed git is tried four times
    forge.refuseGit = every(11, FAULTS, { mostOfOne: FAILURES.GitFailed.tries - 1 });
    const groups = Array.from({ length: 20 }, (_, at) => groupOf(`fleet${at}`, [`work/fleet${at}/*`]));
    const cycles = await Promise.all(groups.map((group) => runGroup(client, group)));
    for (const { result } of cycles) {
      expect(result).toMatchObject({ matched: 50, succeeded: 2, skipped: 48, failed: 0 });
    }
    expect(forge.enforcement?.violations).toEqual([]);
    // more than an hour allows, so it waited
    const asked = forge.requests.filter((request) => request.includes('/api/'));
    expect(asked.length).toBeGreaterThan(hourly.limit);

    forge.refuse = null;
    const verified = await (await startFlow(client, 'verifyCatalog', { all: true })).result();
    expect(verified).toMatchObject({ matched: 1_000, failed: 0, verification: { differing: 0 } });
    expect(await indexedAt(flows, commit)).toEqual(changed.map((name) => `work/${name}`).sort());
    expect(forge.enforcement?.violations).toEqual([]);
  });
});

describe('1,000 repositories of one organization', () => {
  const names = Array.from({ length: 1_000 }, (_, at) => `large/r${at}`);
  atForge(names, {});

  test('a quiet cycle of their group is ten requests', { timeout: 400_000 }, async ({ flows }) => {
    await indexed(flows, names);
    const { result, events } = await runGroup(flows.client, groupOf('large', ['work/large/*']));
    expect(result).toMatchObject({ matched: 1_000, skipped: 1_000, failed: 0, objectsWritten: 0, objectsDeleted: 0 });
    expect(events).toBeLessThanOrEqual(60);
    expect(forgeOf(flows).requests).toEqual(Array.from({ length: 10 }, () => 'POST /api/graphql'));
  });
});

describe('45 organizations with 3 repositories each', () => {
  const names = Array.from({ length: 135 }, (_, at) => `many${at % 45}/r${at}`);
  const [fresh, known] = [names.slice(0, 9), names.slice(9)];
  atForge(names, {});

  test.for([true, false])(
    'are found by one pattern, all 135 (GraphQL: %s)',
    { timeout: 400_000 },
    async (hasGraphql, { flows }) => {
      const forge = forgeOf(flows);
      await indexed(flows, known);
      forge.hasGraphql = hasGraphql;
      forge.largestPage = 2;
      forge.refuse = every(9, API_FAULTS);
      const { result } = await runGroup(flows.client, groupOf('everything', ['work/*/*']));
      expect(result).toMatchObject({ matched: 135, succeeded: fresh.length, skipped: known.length, failed: 0 });
      const receipts = await flows.tools.store.receipts();
      expect(receipts.map(({ repository }) => repository)).toEqual(names.map((name) => `work/${name}`).sort());
      expect(forge.enforcement?.violations).toEqual([]);
    },
  );
});

test(
  'a busy cycle has as many events per repository for a hundred as for ten',
  { timeout: 400_000 },
  async ({ flows }) => {
    const { estate, tools, client } = flows;
    const paths = Array.from({ length: 100 }, (_, at) => estate.gitDir(`busy/r${at}`));
    const template = makeTemplate(estate.root);
    for (const path of paths) likeTemplate(template, path);
    const group = groupOf('busy', ['local/busy/*']);
    await indexLikeTemplate(tools, template, await tools.mgit.list(group.patterns));
    const costs: number[] = [];
    for (const changed of [10, 100]) {
      const commit = commitToAll(template, `export const a = ${changed};\n`, paths.slice(0, changed));
      const { result, events } = await runGroup(client, group);
      expect(result).toMatchObject({ matched: 100, succeeded: changed, failed: 0 });
      expect(await indexedAt(flows, commit)).toHaveLength(changed);
      costs.push(events / changed);
    }
    const [few = Infinity, many = Infinity] = costs;
    expect(few).toBeLessThanOrEqual(40);
    // children that end at the same moment share a task in the group's history
    expect(many / few).toBeLessThan(1.25);
  },
);
