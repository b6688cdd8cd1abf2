import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import type { OpenTools } from '../../../activities/catalog/tools.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult, RepositoryOutcome } from '../../../domain/catalog/flows/fleet.ts';
import { createEstate } from '../estate.ts';
import { type FlowsFixture, openEstate, test as base } from './flows.ts';
import { dumpIndex, faultsOf, type IndexDump } from './index-dump.ts';
import { openRawIndex, type RawIndex } from './raw-index.ts';
import { commitTree, files, git, initRepository, type ScratchTree } from '../scratch-git.ts';
import { mockActivity } from '../mock-activity.ts';

export const API = 'local/acme/api';
export const RELEASE = 'refs/heads/release/9';
export const DEVELOP = 'refs/heads/develop';
export const GROUP = { name: 'services', patterns: ['acme/*'], branches: ['release/*', 'develop'] };

/** The files of a published version of commander. */
export function commander(folder: string): Record<string, string> {
  const root = new URL(`../../../node_modules/${folder}/`, import.meta.url);
  const names = (readdirSync(root, { recursive: true }) as string[]).filter((name) => /\.(js|md|json|ts)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, root), 'utf8')]));
}

export const NEW = commander('commander');
export const OLD = commander('linguist-js/node_modules/commander');
export const CHANGED = 'lib/suggestSimilar.js';
export const DEVELOPED = { ...NEW, [CHANGED]: `${NEW[CHANGED]}\nexports.farthestOf = (words) => words.at(-1);\n` };

export const test = base
  .extend('raw', async ({ flows }, { onCleanup }): Promise<RawIndex> => {
    const raw = await openRawIndex(flows.tools.store.names);
    onCleanup(() => raw.close());
    return raw;
  })
  // the content of a new index for the current repository
  .extend('fromScratch', async ({ raw }, { onCleanup }) => {
    const estate = await createEstate();
    const tools = await openEstate(estate);
    onCleanup(async () => {
      await tools.close();
      await estate.dispose();
    });
    return async (cloneUrl: string, branches: readonly string[]): Promise<IndexDump> => {
      await mockActivity().run(createCatalogActivities(tools).removeRepository, { repository: API });
      await indexed(tools, cloneUrl, branches);
      return dumpIndex(raw.client, tools.store);
    };
  });
export type FromScratch = (cloneUrl: string, branches: readonly string[]) => Promise<IndexDump>;

/** A repository with two published versions of a package, the newer one as HEAD, and a branch with one change. */
export async function makeRepository({ estate }: Pick<FlowsFixture, 'estate'>): Promise<string> {
  const path = estate.gitDir('acme/api');
  await mkdir(dirname(path), { recursive: true });
  initRepository(path, '--bare');
  commitTree(path, tree(OLD));
  git(path, 'branch', 'release/9');
  commitTree(path, tree(NEW));
  git(path, 'branch', 'develop');
  commitTree(path, tree(DEVELOPED), { branch: 'develop' });
  return path;
}

export function tree(contents: Readonly<Record<string, string>>): ScratchTree {
  return files(contents);
}

export async function runGroup(
  { client }: FlowsFixture,
  branches: readonly string[] = GROUP.branches,
): Promise<CatalogFleetResult> {
  const how = { description: '', schedule: '0 3 * * *', timezone: 'UTC', jitterSeconds: 0 };
  const group = { ...GROUP, ...how, branches, exclude: [], parallel: 2, priority: 3, paused: false };
  return (await startFlow(client, 'syncGroup', group)).result();
}

export async function syncAll({ client }: FlowsFixture): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'syncRepositories', { all: true })).result();
}

export async function verify({ client }: FlowsFixture, options: object = { full: true }): Promise<CatalogFleetResult> {
  return (await startFlow(client, 'verifyCatalog', { all: true, ...options })).result();
}

/** Syncs one repository without a flow. */
export function indexed(tools: OpenTools, cloneUrl: string, branches: readonly string[]): Promise<RepositoryOutcome> {
  return mockActivity().run(createCatalogActivities(tools).indexRepository, {
    repository: { id: API, cloneUrl },
    branches,
  });
}

/** Checks that the index is consistent, and equals a new one. Returns it. */
export async function expectAsNew(
  { flows: { tools }, raw, fromScratch }: { flows: FlowsFixture; raw: RawIndex; fromScratch: FromScratch },
  cloneUrl: string,
  branches: readonly string[],
): Promise<IndexDump> {
  const dump = await dumpIndex(raw.client, tools.store);
  expect(faultsOf(dump)).toEqual([]);
  expect(dump).toEqual(await fromScratch(cloneUrl, branches));
  return dump;
}

export function refsIn({ receipts }: IndexDump): string[] {
  return receipts.map(({ ref }) => ref);
}

/** The number of objects by their refs. */
export function countByRefs({ refs }: IndexDump): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const held of Object.values(refs)) counts[held.join(' ')] = (counts[held.join(' ')] ?? 0) + 1;
  return counts;
}
