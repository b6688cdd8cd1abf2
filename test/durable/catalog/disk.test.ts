import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { openTools } from '../../../activities/catalog/tools.ts';
import type { RepositoryOutcome } from '../../../domain/catalog/flows/fleet.ts';
import { toApplicationFailure } from '../../../workers/failures.ts';
import { createEstate, type Estate, type Files } from '../../support/estate.ts';
import { type EstateTools, openEstate } from '../../support/catalog/flows.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { dumpIndex, faultsOf, type IndexDump } from '../../support/catalog/index-dump.ts';
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const ID = 'local/acme/api';

let disk: SmallDisk;
let estate: Estate;
let other: Estate;
let forge: Forge;
let tools: EstateTools;
let reference: EstateTools;

beforeEach(async () => {
  disk = await mountSmallDisk();
  const { weaviate, modelFolder, cacheDir: shared } = inject('stack');
  const cacheDir = join(disk.folder, 'cache');
  await mkdir(cacheDir);
  for (const name of ['models', 'digests']) await symlink(join(shared, name), join(cacheDir, name));
  [estate, other] = [await createEstate(), await createEstate()];
  forge = await startForge(estate.root);
  const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: join(disk.folder, 'data') };
  const own = await openTools(loadConfig({ path: estate.configPath, env }), { weaviate, modelFolder }, env);
  tools = { ...(await own.index()), ...own };
  reference = await openEstate(other);
  await estate.create('acme/api', functions(0, 20));
});

afterEach(async () => {
  await tools.close();
  await reference.close();
  await forge.close();
  await estate.dispose();
  await other.dispose();
  await disk.dispose();
});

test.for<readonly [string, () => string, number, RegExp]>([
  ['vectors', () => estate.gitDir('acme/api'), 60_000, /analysis-1\.sqlite/],
  ['mirrors', () => `${forge.url}/acme/api.git`, 8_192, /No space left|ENOSPC/],
])('a disk full of %s: a typed failure, the old receipt; then an equal index', async ([, from, free, said]) => {
  const cloneUrl = from();
  const before = (await indexed(tools, cloneUrl)).commit;
  await estate.commit('acme/api', functions(20, 420));
  await disk.fill(free);
  const failure = await indexed(tools, cloneUrl).then(() => null, named);
  expect(failure).toMatchObject({ type: 'DiskFailed', message: expect.stringMatching(said) as string });
  expect(await tools.store.readReceipt(ID)).toMatchObject({ commit: before });
  await disk.empty();
  const { commit } = await indexed(tools, cloneUrl);
  expect(commit).not.toBe(before);
  await indexed(reference, estate.gitDir('acme/api'));
  const found = await dumpOf(tools);
  expect(faultsOf(found)).toEqual([]);
  expect(found).toEqual(await dumpOf(reference));
});

test('a disk full of contents: a typed failure, and no partial file', async () => {
  const content = Buffer.alloc(1_000_000, 'a');
  const oid = 'a'.repeat(40);
  await disk.fill(100_000);
  const failure = await tools.mgit.spool.keep(oid, content).then(() => null, named);
  expect(failure).toMatchObject({ type: 'DiskFailed' });
  await disk.empty();
  const path = await tools.mgit.spool.keep(oid, content);
  expect(await readFile(path)).toEqual(content);
  expect(await readdir(dirname(path))).toEqual([oid]);
});

function indexed(own: EstateTools, cloneUrl: string): Promise<RepositoryOutcome> {
  const { indexRepository } = createCatalogActivities(own);
  return mockActivity().run(indexRepository, { repository: { id: ID, cloneUrl } });
}

/** The failure that Temporal gets for an error. */
function named(error: unknown): unknown {
  return toApplicationFailure(error, 1);
}

async function dumpOf({ store }: EstateTools): Promise<IndexDump> {
  const client = await connectWeaviate(inject('stack').weaviate);
  try {
    return await dumpIndex(client, store);
  } finally {
    await client.close();
  }
}

function functions(from: number, to: number): Files {
  return Object.fromEntries(
    Array.from({ length: to - from }, (_, at) => {
      const name = `compute${from + at}`;
      return [`src/${name}.ts`, `export function ${name}(input: number) {\n  return input * ${from + at};\n}\n`];
    }),
  );
}
