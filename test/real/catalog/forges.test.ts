import { rename } from 'node:fs/promises';
import { describe, expect, vi } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { type DescribedForge, startDescribedForge } from '../../support/described-forge.ts';
import { FORGES } from '../../support/dialects.ts';
import { objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';

describe.each(Object.entries(FORGES))('%s', (_, kind) => {
  const forges = new Map<string, DescribedForge>();

  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const forge = await startDescribedForge(kind.dialect, root);
    forges.set(root, forge);
    for (const [name, value] of Object.entries(kind.env)) vi.stubEnv(name, value);
    onCleanup(async () => {
      vi.unstubAllEnvs();
      await forge.close();
    });
    return [kind.config(forge.url)];
  });

  test('repositories are indexed, and one that is renamed is moved', async ({ flows }) => {
    const { estate, tools, client } = flows;
    const forge = forges.get(estate.root);
    if (forge === undefined) throw new Error('no forge was started');
    const [api, web, other] = [kind.path('acme', 'api'), kind.path('acme', 'web'), kind.path('other', 'api')];
    for (const path of [api, web, other]) {
      await estate.create(path, { 'a.ts': sourceOf('domain/catalog/index/receipt.ts'), 'README.md': `# ${path}\n` });
      forge.host(path);
    }
    const onboarded = await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] });
    expect(await onboarded.result()).toMatchObject({ matched: 2, succeeded: 2, failed: 0 });
    const renamed = kind.path('acme', 'service');
    await rename(estate.gitDir(api), estate.gitDir(renamed));
    forge.rename(api, renamed);
    await estate.commit(web, { 'b.ts': sourceOf('domain/git/pattern.ts') });
    const synced = await startFlow(client, 'syncRepositories', { all: true });
    expect(await synced.result()).toMatchObject({ succeeded: 2, moved: 1, failed: 0 });
    const receipts = await tools.store.receipts();
    expect(receipts.map(({ repository }) => repository)).toEqual([kind.id(renamed), kind.id(web)].toSorted());
    for (const { repository } of receipts) expect((await objectIdsOf(tools, repository)).length).toBeGreaterThan(1);
    expect(forge.violations).toEqual([]);
  });
});
