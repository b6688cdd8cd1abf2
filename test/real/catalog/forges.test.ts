import { rename } from 'node:fs/promises';
import { describe, expect, vi } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { type DescribedForge, startDescribedForge } from '../../support/described-forge.ts';
import { FORGES } from '../../support/dialects.ts';
import { objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';
import { collectRuns } from '../../support/recorded-runs.ts';

/** Every text in a history, with the content of its payloads. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textIn).join('\n') : '';
}

/** A secret as it is, percent-encoded, in hexadecimal, and in base64 at each of the three places where it may begin. */
function formsOf(secret: string): string[] {
  const base64 = ['', 'x', 'xy'].map((before) =>
    Buffer.from(before + secret)
      .toString('base64url')
      .slice(before === '' ? 0 : before.length + 1, -2),
  );
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...base64];
}

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
    const histories = (await collectRuns(client, flows.started)).map(({ history }) => textIn(history)).join('\n');
    expect(histories).toContain(kind.id(renamed));
    for (const secret of Object.values(kind.env)) {
      for (const form of formsOf(secret)) expect(histories).not.toContain(form);
    }
  });
});
