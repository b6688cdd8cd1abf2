import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { createForgeActivities } from '../../../activities/forges/forge-activities.ts';
import type { Repository } from '../../../domain/git/repository.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { mockActivity } from '../../support/mock-activity.ts';

test('flows write by a repository id, labels that they define, and assets from the blob store', async () => {
  const place = await startDescribedPlace('github');
  await place.addTag('v1.0.0');
  const number = await place.addIssue();
  const folder = scratchFolder();
  const blobs = createBlobStore(createFolderObjects(folder), join(folder, 'making'));
  const found: Repository = {
    ...place.repository,
    provider: 'work',
    cloneUrl: 'https://x.example',
    defaultBranch: null,
  };
  const activities = createForgeActivities({
    mgit: { find: () => Promise.resolve(found) },
    forges: { of: () => place.open() },
    blobs,
  });
  const run = <Result>(work: () => Promise<Result>): Promise<Result> => mockActivity().run(work);
  const { repository, on } = { repository: 'work/acme/api', on: { kind: 'issue', number } } as const;

  const release = { tag: 'v1.0.0', title: '1.0.0', notes: '' };
  expect(await run(() => activities.putRelease({ repository, release }))).toMatchObject({ isNew: true });
  const blob = await blobs.put(Readable.from([Buffer.from('the content')]));
  const asset = { tag: 'v1.0.0', name: 'a.txt', contentType: 'text/plain', blob };
  expect(await run(() => activities.putReleaseAsset({ repository, asset }))).toMatchObject({ isNew: true });
  expect(await run(() => activities.putReleaseAsset({ repository, asset }))).toMatchObject({ isNew: false });
  expect((await place.releases())[0]?.assets).toEqual({ 'a.txt': 'the content' });

  const define = [{ name: 'state:done', color: '00ff00', description: '' }];
  await run(() => activities.putLabels({ repository, on, change: { add: ['state:done'], remove: [] }, define }));
  expect([await place.labels(), await place.labelsOf(number)]).toEqual([['state:done'], ['state:done']]);
  const missing = { ...asset, name: 'b.txt', blob: { digest: '0'.repeat(64), size: 1 } };
  await expect(run(() => activities.putReleaseAsset({ repository, asset: missing }))).rejects.toMatchObject({
    type: 'BlobNotFound',
  });
  expect(place.violations).toEqual([]);
});
