import { expect } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { VerifyInput } from '../../../domain/catalog/flows/flows.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import type { DifferenceKind } from '../../../domain/catalog/index/verification.ts';
import { type FlowsFixture, sourceOf, test as base } from './flows.ts';
import { openRawIndex, type RawIndex, type RawObject } from './raw-index.ts';

/** The text of a source file. */
export const LANES = sourceOf('workflows/shared/lanes.ts');
const RECEIPT = sourceOf('domain/catalog/index/receipt.ts');
const PLAN = sourceOf('domain/catalog/index/plan.ts');
/** The first repository of {@link indexTwo}. */
export const API = 'local/acme/api';
/** The other repository of {@link indexTwo}. */
export const WEB = 'local/acme/web';

/** In the result of a verification that changed nothing. */
export const NOTHING = {
  failed: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  verification: { differing: 0, repositories: [] },
};

/** Tests of verifications, which see the content of Weaviate without the product. */
export const test = base.extend('raw', async ({ flows }, { onCleanup }): Promise<RawIndex> => {
  const raw = await openRawIndex(flows.tools.store.names);
  onCleanup(() => raw.close());
  return raw;
});

/** Verifies all repositories, or those of the patterns. */
export async function verifyAll({ client }: FlowsFixture, input: VerifyInput = {}): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'verifyCatalog', input.patterns ? input : { all: true, ...input })).result();
}

/** Indexes all repositories of the estate. */
export async function onboardAll({ client }: FlowsFixture): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'onboardRepositories', { patterns: ['*/*/*'] })).result();
}

/** Two repositories, one of them with a second commit, and an object of the first. */
export async function indexTwo(flows: FlowsFixture, raw: RawIndex): Promise<{ stale: RawObject }> {
  const { estate, client } = flows;
  // a path that is not text, an empty list of symbols, a file without a language: content that could wrongly look
  // altered
  await estate.create('acme/api', { 'src/lanes.ts': RECEIPT, 'notes.txt': 'plain words\n', '"caf\\351.ts"': LANES });
  await estate.create('acme/web', { 'plan.ts': PLAN, 'LICENSE.weird': 'nothing\n' });
  expect(await onboardAll(flows)).toMatchObject({ succeeded: 2 });
  const old = (await raw.chunks()).find(({ properties }) => properties['path'] === 'src/lanes.ts');
  if (!old) throw new Error('nothing was indexed');
  await estate.commit('acme/api', { 'src/lanes.ts': LANES });
  await (await startFlow(client, 'syncRepositories', { all: true })).result();
  return { stale: old };
}

/** The content of the index, without times. */
export async function contentOf(raw: RawIndex): Promise<unknown> {
  const [chunks, receipts] = await Promise.all([raw.chunks(), raw.receipts()]);
  return {
    chunks: chunks.map(({ writtenAt: _at, ...rest }) => rest),
    receipts: receipts.map(({ id, properties: { indexedAt: _at, ...rest } }) => ({ id, ...rest })),
  };
}

/** The kinds of differences that were found, with their numbers. */
export function kindsOf({ verification }: CatalogFleetResult): Partial<Record<DifferenceKind, number>> {
  const found = Object.entries(verification?.differences ?? {}).filter(([, count]) => count > 0);
  return Object.fromEntries(found) as Partial<Record<DifferenceKind, number>>;
}
