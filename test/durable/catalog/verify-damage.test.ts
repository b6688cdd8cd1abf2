import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { bucketOf } from '../../../activities/index/store/write-batch.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { mockActivity } from '../../support/mock-activity.ts';
import {
  API,
  contentOf,
  indexTwo,
  kindsOf,
  NOTHING,
  onboardAll,
  test,
  verifyAll,
  WEB,
} from '../../support/catalog/verifications.ts';

const MANY = Object.fromEntries(
  Array.from({ length: 2_500 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]),
);

describe('verification', () => {
  test('several kinds of damage at once, in any order, are repaired to the index of a full run', async ({
    flows,
    raw,
  }) => {
    await indexTwo(flows, raw);
    const healthy = await contentOf(raw);
    let state = 42;
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 2; round++) {
      for (const object of await raw.chunks()) {
        const copy = randomUUID();
        switch (random(6)) {
          case 0:
            await raw.delete(object.id);
            break;
          case 1:
            await raw.put({ ...object, properties: { ...object.properties, endLine: 9_999 } });
            break;
          case 2:
            await raw.put({ ...object, properties: { ...object.properties, repo: random(2) === 0 ? API : WEB } });
            break;
          case 3:
            await raw.put({ ...object, id: copy, properties: { ...object.properties, bucket: bucketOf(copy) } });
            break;
        }
      }
      await raw.damageReceipt(random(2) === 0 ? API : WEB, { files: random(9), objects: random(99) });
      expect(await verifyAll(flows, { full: true, repair: true }), `round ${round}`).toMatchObject({ failures: [] });
      expect(await contentOf(raw), `round ${round}`).toEqual(healthy);
    }
  });

  test('a repair that is stopped at any point is finished by the next one', async ({ flows, raw }) => {
    const { estate, tools } = flows;
    await estate.create('acme/big', Object.fromEntries(Object.entries(MANY).slice(0, 400)));
    await onboardAll(flows);
    const healthy = await contentOf(raw);
    const objects = await raw.chunks();
    await raw.delete(...objects.slice(0, 150).map(({ id }) => id));
    await raw.put(...objects.slice(150, 250).map((object) => ({ ...object, id: randomUUID() })));
    const environment = mockActivity();
    environment.on('heartbeat', () => environment.cancel('CANCELLED'));
    const { verifyRepository } = createCatalogActivities(tools);
    const stopped = environment.run(verifyRepository, { repository: 'local/acme/big', repair: true });
    await expect(stopped).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(await contentOf(raw)).not.toEqual(healthy);
    expect(await verifyAll(flows, { repair: true })).toMatchObject({ failed: 0, verification: { mended: 1 } });
    expect(await contentOf(raw)).toEqual(healthy);
  });

  test('never treats a running sync as damage', async ({ flows, raw }) => {
    const { estate, client, tools } = flows;
    await indexTwo(flows, raw);
    // a fast sync may have ended when the verification looks at its repository: then there is another round
    let overlaps = 0;
    for (let round = 0; round < 5 && overlaps === 0; round++) {
      const files = Object.entries(MANY).map(([path, text]) => [`round${round}/${path}`, `${text}// ${round}\n`]);
      await estate.commit('acme/api', Object.fromEntries(files) as Record<string, string>);
      const before = await tools.store.count(API);
      const sync = await startFlow(client, 'syncRepositories', { all: true });
      await expect.poll(() => tools.store.count(API), { interval: 20 }).toBeGreaterThan(before);
      const during = await verifyAll(flows, { full: true, repair: true });
      expect(during).toMatchObject({ objectsDeleted: 0 });
      expect(kindsOf(during)).toEqual({});
      overlaps += during.failures.filter(
        ({ repository, type }) => repository === API && type === 'RepositoryBusy',
      ).length;
      expect(during.failures).toHaveLength(overlaps);
      expect(await sync.result()).toMatchObject({ succeeded: 1 });
      expect(await verifyAll(flows)).toMatchObject(NOTHING);
    }
    expect(overlaps).toBe(1);
  });
});
