import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { expect } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import type { OpenTools } from '../../../activities/catalog/tools.ts';
import type { RepositoryOutcome } from '../../../domain/catalog/flows/fleet.ts';
import { NO_OBJECTS, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { createEstate } from '../estate.ts';
import { objectIdsOf, openEstate } from './flows.ts';
import { makeRandomWalk, moveHead } from '../histories.ts';
import { mockActivity } from '../mock-activity.ts';

/** The only repository of these tests. */
export const ID = 'local/acme/walk';

/** Syncs the repository {@link ID} without a flow. */
export function indexed(tools: OpenTools, cloneUrl: string): Promise<RepositoryOutcome> {
  return mockActivity().run(createCatalogActivities(tools).indexRepository, {
    repository: { id: ID, cloneUrl },
  });
}

/**
 * Checks at every step of a random history of `count` steps that the incremental index equals a new one. Returns the number of steps.
 */
export async function expectWalkEqualsScratch(seed: number, count = 16): Promise<number> {
  const estate = await createEstate();
  const other = await createEstate();
  const [incremental, scratch] = [await openEstate(estate), await openEstate(other)];
  try {
    await mkdir(join(estate.root, 'acme'));
    const cloneUrl = estate.gitDir('acme/walk');
    const steps = await makeRandomWalk(cloneUrl, { seed, steps: count });
    const { removeRepository } = createCatalogActivities(scratch);
    for (const step of steps) {
      await moveHead(cloneUrl, step);
      const outcome = await indexed(incremental, cloneUrl);
      await mockActivity().run(removeRepository, { repository: ID });
      const whole = await indexed(scratch, cloneUrl);
      const ids = await objectIdsOf(incremental, ID);
      expect(ids, `seed ${seed}: ${step.what}`).toEqual(await objectIdsOf(scratch, ID));
      expect(whole, step.what).toMatchObject({ embedded: 0, commit: step.commit, objects: ids.length });
      expect(outcome, step.what).toMatchObject({ commit: step.commit, objects: ids.length });
      const receipt = await incremental.store.readReceipt(ID);
      expect(receipt).toMatchObject({ xor: ids.reduce(xorIds, NO_OBJECTS), pending: null });
      expect(receipt).toEqual({
        ...(await scratch.store.readReceipt(ID)),
        indexedAt: receipt?.indexedAt,
      });
    }
    return steps.length;
  } finally {
    await incremental.close();
    await scratch.close();
    await estate.dispose();
    await other.dispose();
  }
}
