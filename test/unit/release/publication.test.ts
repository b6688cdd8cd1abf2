import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { createCommitActivities } from '../../../activities/release/commits.ts';
import { storeContracts } from '../../../activities/release/contracts/stored-contracts.ts';
import { storeJson } from '../../../activities/release/pipelines/stored-plan.ts';
import { readDefaultPolicies } from '../../../activities/release/promotion/default-policies.ts';
import type { StoredProofs } from '../../../activities/release/promotion/prepare-promotion.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';
import { openMgit } from '../../support/mgit.ts';
import { generation, write } from '../../support/release/work.ts';
import { git, initRepository, scratchFolder } from '../../support/scratch-git.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const REPOSITORY = 'disk/acme/api';

function run<Result>(work: () => Promise<Result>): Promise<Result> {
  return mockActivity().run(work);
}

/** A remote, a forge in memory for its releases, and the activities that publish. */
async function open() {
  const folder = scratchFolder();
  const remote = initRepository(join(folder, 'root', 'acme', 'api.git'), '--bare');
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  const blobs = createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making'));
  const forge = await startDescribedPlace('github');
  const mgit = openMgit(join(folder, 'cache'), [{ name: 'disk', type: 'local', root: join(folder, 'root') }]);
  const activities = createCommitActivities({
    mgit,
    blobs,
    forges: { of: () => forge.open() },
    pushCandidates: true,
    protectedBranches: ['release/*'],
    announcements: { channels: [], announce: [], env: {} },
  });
  const put = async (text: string): Promise<string> => (await blobs.put(Readable.from([Buffer.from(text)]))).digest;
  return {
    remote,
    clone,
    blobs,
    forge,
    activities,
    put,
    /** Commits to a branch of the remote, with a tag if it has a name. */
    commit(message: string, { branch = 'main', tag = '', by = 'first' } = {}): string {
      git(clone, 'commit', '--quiet', '--allow-empty', '-m', message, '--author', `${by} <${by}@example.com>`);
      git(clone, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
      if (tag !== '') git(clone, 'push', '--quiet', 'origin', `HEAD:refs/tags/${tag}`);
      return git(clone, 'rev-parse', 'HEAD');
    },
    /** The lines of the notes, and who wrote what is released. */
    async release(version: string, commit: string, known: Pick<StoredProofs, 'before' | 'base'>) {
      const packed = await run(() => activities.packCommit({ repository: REPOSITORY, commit }));
      const contract = { path: `generations/${version}.yaml`, text: generation(version, ['FEAT-1']) };
      const pipeline = { path: 'pipelines/full-ci.yaml', text: 'name: full-ci\nsteps: [{name: a, command: a}]\n' };
      const contracts = await storeContracts(blobs, { name: '.longhaul', files: [contract, pipeline] });
      const stored: StoredProofs = { version, proven: [], ...known };
      const proofs = await storeJson(blobs, stored);
      const given = {
        repository: REPOSITORY,
        version,
        kind: 'standard',
        packed,
        contracts,
        by: 'ada',
        proofs,
      } as const;
      const { notes } = await run(() => activities.writeNotes(given));
      const text = Buffer.concat((await (await blobs.open(notes)).toArray()) as Buffer[]).toString('utf8');
      const { authors } = await run(() => activities.coverCommits(given));
      return { said: [...text.matchAll(/^- (\w+) \(/gm)].map(([, subject]) => subject), authors };
    },
  };
}

test('notes begin at the release before, which may be a tag of the remote; those of a hotfix at its base', async () => {
  const { clone, commit, release } = await open();
  commit('feat: one', { tag: 'v1.0.0' });
  commit('feat: two', { tag: 'v1.1.0-rc.1' });
  const third = commit('feat: three', { by: 'third' });
  // a repository whose earlier releases Longhaul has not promoted
  const unknown = { before: null, base: null };
  expect(await release('v1.1.0', third, unknown)).toEqual({
    said: ['three', 'two'],
    authors: ['third@example.com', 'first@example.com'],
  });
  // a hotfix of v1.0.0, although a higher version has been released since
  commit('feat: four', { tag: 'v1.1.0' });
  git(clone, 'checkout', '--quiet', '--detach', 'HEAD~3');
  commit('fix: five', { branch: 'a', tag: 'v1.0.1' });
  const fix = commit('fix: six', { branch: 'a' });
  expect((await release('v1.0.2', fix, { before: null, base: 'v1.0.0' })).said).toEqual(['five', 'six'].toReversed());
  expect((await release('v1.0.2', fix, unknown)).said).toEqual(['six']);
});

test('whose approval does not count follows from the ledger, not from a tag that an author could push', async () => {
  const { commit, release } = await open();
  const first = commit('feat: one', { tag: 'v1.0.0' });
  commit('feat: two', { tag: 'v1.0.1', by: 'second' });
  const third = commit('feat: three', { by: 'third' });
  const before = { version: 'v1.0.0', commit: first };
  expect(await release('v1.1.0', third, { before, base: null })).toEqual({
    said: ['three'],
    authors: ['third@example.com', 'second@example.com'],
  });
});

test('of a repository without a release in Longhaul all authors are known, whatever tags the remote has', async () => {
  const { commit, release } = await open();
  commit('feat: one');
  const second = commit('feat: two', { tag: 'v0.0.1', by: 'second' });
  expect((await release('v1.0.0', second, { before: null, base: null })).authors).toEqual([
    'second@example.com',
    'first@example.com',
  ]);
});

test('the authors of the changes of a deployment are those of the commits that the release before does not have', async () => {
  const { commit, activities } = await open();
  const first = commit('feat: one');
  commit('feat: two', { by: 'second' });
  const third = commit('feat: three', { by: 'third' });
  const packed = await run(() => activities.packCommit({ repository: REPOSITORY, commit: third }));
  const since = (before: string | null) =>
    run(() => activities.findAuthors({ repository: REPOSITORY, packed, since: before }));
  expect(await since(first)).toEqual(['third@example.com', 'second@example.com']);
  expect(await since(null)).toEqual(['third@example.com', 'second@example.com', 'first@example.com']);
  expect(await since(third)).toEqual([]);
});

describe('the branches that a release may come from', () => {
  const { before, base } = { before: null, base: null };
  async function covered(place: Awaited<ReturnType<typeof open>>, commit: string, kind: 'standard' | 'hotfix') {
    const { activities, blobs } = place;
    const packed = await run(() => activities.packCommit({ repository: REPOSITORY, commit }));
    const stored: StoredProofs = { version: 'v1.0.0', proven: [], before, base };
    const proofs = await storeJson(blobs, stored);
    const { outside, policies } = await run(() =>
      activities.coverCommits({ repository: REPOSITORY, kind, packed, proofs }),
    );
    return { outside, policies: policies === null ? null : await readDefaultPolicies(blobs, policies, REPOSITORY) };
  }

  test('are the default branch and the protected ones of the remote, as they are now; a hotfix is not merged yet', async () => {
    const place = await open();
    const { clone, commit } = place;
    const first = commit('feat: one');
    git(clone, 'checkout', '--quiet', '--detach');
    const topic = commit('feat: two', { branch: 'topic' });
    const NOWHERE = { outside: ['the default branch main', 'release/*'], policies: null };
    expect(await covered(place, first, 'standard')).toEqual({ outside: null, policies: null });
    expect(await covered(place, topic, 'standard')).toEqual(NOWHERE);
    expect((await covered(place, topic, 'hotfix')).outside).toBeNull();
    git(clone, 'push', '--quiet', 'origin', `${topic}:refs/heads/release/1.x`);
    expect((await covered(place, topic, 'standard')).outside).toBeNull();
    git(clone, 'push', '--quiet', 'origin', ':refs/heads/release/1.x');
    expect(await covered(place, topic, 'standard')).toEqual(NOWHERE);
    git(clone, 'push', '--quiet', 'origin', `${topic}:refs/heads/main`);
    expect((await covered(place, topic, 'standard')).outside).toBeNull();
  });

  test('give their policies in addition: those of the default branch, unless it has none or is the commit', async () => {
    const place = await open();
    const { clone, commit } = place;
    const first = commit('feat: one');
    write(clone, { '.longhaul/policy.yml': 'promotion: {soak: 1h}\n', '.longhaul/generations/v9.0.0.yaml': 'x' });
    git(clone, 'add', '--all');
    const second = commit('chore: a policy');
    for (const kind of ['standard', 'hotfix'] as const) {
      expect((await covered(place, first, kind)).policies?.promotion.soak).toBe(3_600);
      expect((await covered(place, second, kind)).policies).toBeNull();
    }
    write(clone, { '.longhaul/policy.yml': 'promotion: {soak: 1 hour}\n' });
    git(clone, 'add', '--all');
    commit('chore: a wrong policy');
    await expect(covered(place, first, 'hotfix')).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining('The policies of the default branch of disk/acme/api are wrong:') as string,
    });
  });
});

test('the release of an older line is not the latest one of the forge', async () => {
  const { commit, forge, activities, put } = await open();
  const notes = await put('the notes');
  for (const version of ['v2.3.0', 'v3.0.0', 'v2.3.1']) {
    commit(version, { tag: version });
    await forge.addTag(version);
    await run(() => activities.publishRelease({ repository: REPOSITORY, version, notes }));
    expect(forge.latest?.()).toBe(version === 'v2.3.1' ? 'v3.0.0' : version);
  }
  expect(forge.violations).toEqual([]);
});

test('a hotfix is offered unless the default branch has it; a refusal of the remote or of the forge is a result', async () => {
  const { clone, remote, commit, forge, activities } = await open();
  commit('feat: one');
  git(clone, 'checkout', '--quiet', '--detach');
  const fix = commit('fix: two', { branch: 'hotfix/v1.0.1' });
  const offer = () => run(() => activities.offerHotfix({ repository: REPOSITORY, version: 'v1.0.1', commit: fix }));
  git(remote, 'config', 'receive.hideRefs', 'refs/heads/longhaul');
  expect(await offer()).toEqual({
    status: 'missing',
    said: expect.stringMatching(
      /^missing \(disk\/acme\/api does not take the branch longhaul\/merge-v1\.0\.1: /,
    ) as string,
  });
  git(remote, 'config', '--unset', 'receive.hideRefs');
  await forge.addBranch('longhaul/merge-v1.0.1');
  forge.proxy.fault = () => ({ status: 422 });
  expect(await offer()).toMatchObject({ status: 'missing', said: expect.stringContaining('422') as string });
  forge.proxy.fault = null;
  expect(await offer()).toMatchObject({ status: 'offered', said: expect.stringMatching(/^http/) as string });
  expect(await forge.pulls()).toMatchObject([{ head: 'longhaul/merge-v1.0.1', title: 'fix: merge the hotfix v1.0.1' }]);
  // merged before the next run
  git(remote, 'update-ref', 'refs/heads/main', fix);
  git(remote, 'update-ref', '-d', 'refs/heads/longhaul/merge-v1.0.1');
  const writes = forge.proxy.writes.length;
  expect(await offer()).toEqual({ status: 'contained', said: 'the branch main has it' });
  expect(forge.proxy.writes).toHaveLength(writes);
  expect(git(remote, 'for-each-ref', 'refs/heads/longhaul')).toBe('');
});
