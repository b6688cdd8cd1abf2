import { describe, expect } from 'vitest';
import { dumpIndex } from '../../support/catalog/index-dump.ts';
import { git } from '../../support/scratch-git.ts';
import {
  RELEASE,
  DEVELOP,
  test,
  makeRepository,
  runGroup,
  verify,
  expectAsNew,
} from '../../support/catalog/branches.ts';

describe('a verification', () => {
  test('finds altered refs, and repairs exactly these', async ({ flows, raw }) => {
    const path = await makeRepository(flows);
    await runGroup(flows);
    const whole = await dumpIndex(raw.client, flows.tools.store);
    const chunks = await raw.chunks();
    const holding = (...refs: string[]) =>
      chunks.filter(({ properties }) => (properties['refs'] as string[]).join() === refs.join());
    const alter = async (objects: typeof chunks, refs: string[]): Promise<void> =>
      raw.put(...objects.map(({ id, properties, vector }) => ({ id, properties: { ...properties, refs }, vector })));
    const damages: readonly [string, () => Promise<void>, number, object][] = [
      ['a ref is missing', () => alter(holding('HEAD', DEVELOP).slice(0, 3), ['HEAD']), 3, { altered: 3 }],
      ['HEAD is missing', () => alter(holding('HEAD', DEVELOP).slice(0, 2), [DEVELOP]), 2, { altered: 2 }],
      ['no ref at all', () => alter(holding(RELEASE).slice(0, 4), []), 4, { altered: 4 }],
      ['a ref too many', () => alter(holding(RELEASE).slice(0, 1), ['HEAD', RELEASE]), 1, { stale: 1 }],
      [
        'a ref without a receipt',
        () => alter(holding('HEAD', DEVELOP).slice(0, 2), ['HEAD', DEVELOP, 'refs/heads/x']),
        2,
        { altered: 2 },
      ],
      [
        'the same ref twice',
        () => alter(holding('HEAD', DEVELOP).slice(0, 1), ['HEAD', 'HEAD', DEVELOP]),
        1,
        { altered: 1 },
      ],
    ];
    for (const [what, damage, count, kinds] of damages) {
      await damage();
      const found = await verify(flows, {});
      expect(found, what).toMatchObject({ failed: 1, verification: { differing: 1, mended: 0, differences: kinds } });
      const repaired = await verify(flows, { repair: true });
      expect(repaired, what).toMatchObject({
        failed: 0,
        objectsWritten: count,
        verification: { differing: 1, mended: 1 },
      });
      expect(await verify(flows), what).toMatchObject({ failed: 0, verification: { differing: 0 } });
      expect(await dumpIndex(raw.client, flows.tools.store), what).toEqual(whole);
    }
    // an object that two refs hold is missing once
    const [lost] = holding('HEAD', DEVELOP);
    await raw.delete(lost?.id ?? '');
    expect(await verify(flows)).toMatchObject({ verification: { differences: { missing: 1, altered: 0 } } });
    expect(await verify(flows, { repair: true })).toMatchObject({ failed: 0 });
    expect(await dumpIndex(raw.client, flows.tools.store)).toEqual(whole);
    // objects without a valid ref are deleted
    const [stray] = holding('HEAD', DEVELOP);
    const other = { ...stray?.properties, blob: 'f'.repeat(40), refs: ['refs/heads/x'] };
    await raw.put({ id: '00000000-0000-5000-8000-000000000000', properties: other, vector: stray?.vector ?? [] });
    expect(await verify(flows, {})).toMatchObject({ failed: 1, verification: { differences: { foreign: 1 } } });
    expect(await verify(flows, { repair: true })).toMatchObject({ failed: 0, objectsDeleted: 1 });
    expect(await dumpIndex(raw.client, flows.tools.store)).toEqual(whole);
    expect(git(path, 'rev-parse', 'main')).toBe(whole.receipts[0]?.commit);
  });

  test('of a branch that is gone removes it', async ({ flows, raw, fromScratch }) => {
    const path = await makeRepository(flows);
    await runGroup(flows);
    git(path, 'branch', '-D', 'develop');
    expect(await verify(flows)).toMatchObject({ failed: 1, verification: { differences: { gone: 1 } } });
    expect(await verify(flows, { full: true, repair: true })).toMatchObject({ failed: 0, verification: { mended: 1 } });
    await expectAsNew({ flows, raw, fromScratch }, path, ['release/9']);
  });
});
