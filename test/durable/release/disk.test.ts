import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, vi } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { REPOSITORY, type Release, releaseTest } from '../../support/release/releases.ts';
import { commit, generation, prove, tagsOf, write } from '../../support/release/work.ts';

const SAYS_SO = /The disk is full or cannot be used: .*ENOSPC/;
/** Enough for a plan or a pack, and less than the log of a job that prints. */
const LITTLE = 300_000;
const PRINTS_MORE = 'head -c 3000000 /dev/urandom | base64';

// of a folder, whose unfinished blobs are on the same disk
const disk = await mountSmallDisk();
afterAll(() => disk.dispose());
afterEach(() => disk.empty());
const blobs = join(disk.folder, 'blobs');
const test = releaseTest({ blobs: { type: 'folder', path: blobs } });

/** What exists of a version outside of the product's view. */
async function stateOf({ ledger, remote }: Release, version: string) {
  const [row] = await ledger.sql<{ status: string }>('SELECT status FROM generations WHERE version = $1', [version]);
  const evolutions = await ledger.sql<{ status: string }>(
    'SELECT e.status FROM evolutions e JOIN generations g USING (generation_id) WHERE g.version = $1 ORDER BY e.rc',
    [version],
  );
  const events = await ledger.sql(
    "SELECT FROM audit_events WHERE event_type = 'generation.promoted' AND resource_id = $1",
    [version],
  );
  return {
    status: row?.status ?? null,
    evolutions: evolutions.map(({ status }) => status),
    promoted: events.length,
    tags: tagsOf(remote).filter((tag) => tag.startsWith(version)),
  };
}

/** Files of blobs that are not complete. */
function unfinished(): string[] {
  return readdirSync(blobs, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.includes('.tmp-'))
    .map(({ name }) => name);
}

/** Contracts of a version whose pipeline runs this; returns the commit. */
function declare({ clone }: Release, version: string, command: string): string {
  write(clone, {
    [`.longhaul/generations/${version}.yaml`]: generation(version, ['FEAT-1']),
    '.longhaul/pipelines/full-ci.yaml': `name: full-ci\nsteps: [{name: unit, command: '${command}'}]\n`,
  });
  const at = commit(clone, `feat: what ${version} brings [FEAT-1]`);
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  return at;
}

describe('a full disk of the blob store', () => {
  test('when a change is to be proven: nothing is judged, and it is proven when there is space', async ({
    release,
  }) => {
    const { longhaul } = release;
    const version = 'v7.0.0';
    declare(release, version, 'true');
    expect(await longhaul('evolution', 'start', version, '--change', 'FEAT-1')).toMatchObject({ exitCode: 0 });
    await disk.fill(0);
    const full = await longhaul('run', 'full-ci');
    expect(full).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(SAYS_SO) as string });
    expect(await stateOf(release, version)).toEqual({
      status: 'draft',
      evolutions: ['pending'],
      promoted: 0,
      tags: [],
    });
    await disk.empty();
    expect(unfinished()).toEqual([]);
    expect(await longhaul('run', 'full-ci')).toMatchObject({ exitCode: 0 });
    expect(await stateOf(release, version)).toMatchObject({ evolutions: ['pass'], tags: [`${version}-rc.1`] });
  });

  test('when the log of a job fills it: no proof and no tag, and it is proven when there is space', async ({
    release,
  }) => {
    const { longhaul } = release;
    const version = 'v7.1.0';
    declare(release, version, PRINTS_MORE);
    expect(await longhaul('evolution', 'start', version, '--change', 'FEAT-1')).toMatchObject({ exitCode: 0 });
    await disk.fill(LITTLE);
    const full = await longhaul('run', 'full-ci');
    expect(full).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(SAYS_SO) as string });
    expect(await stateOf(release, version)).toEqual({ status: 'draft', evolutions: ['fail'], promoted: 0, tags: [] });
    await disk.empty();
    expect(unfinished()).toEqual([]);
    expect(await longhaul('evolution', 'start', version, '--change', 'FEAT-1')).toMatchObject({ exitCode: 0 });
    expect(await longhaul('run', 'full-ci')).toMatchObject({ exitCode: 0 });
    expect(await stateOf(release, version)).toMatchObject({ evolutions: ['fail', 'pass'], tags: [`${version}-rc.2`] });
  });

  test('before a promotion is decided: it is not, and it is when there is space', async ({ release }) => {
    const { longhaul, replayed } = release;
    const version = 'v7.2.0';
    declare(release, version, 'true');
    await prove(release, version, 'FEAT-1', { 'a.txt': 'a\n' });
    git(release.clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await disk.fill(0);
    expect(await longhaul('generation', 'promote', version)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(SAYS_SO) as string,
    });
    expect(await stateOf(release, version)).toMatchObject({ status: 'draft', promoted: 0, tags: [`${version}-rc.1`] });
    await disk.empty();
    expect(await longhaul('generation', 'promote', version)).toMatchObject({ exitCode: 0 });
    expect(await stateOf(release, version)).toMatchObject({
      status: 'promoted',
      promoted: 1,
      tags: [version, `${version}-rc.1`],
    });
    replayed(`generation/${REPOSITORY}/${version}`);
  });

  test('after it was decided: what is missing is repeated until there is space', async ({ release }) => {
    const { client, faults, longhaul, replayed } = release;
    const version = 'v7.3.0';
    declare(release, version, 'true');
    await prove(release, version, 'FEAT-1', { 'a.txt': 'b\n' });
    git(release.clone, 'push', '--quiet', 'origin', 'HEAD:main');
    faults.arm({ activity: 'writeNotes', kind: 'is reached', onReached: () => disk.fill(0) });
    const promoting = longhaul('generation', 'promote', version);
    const id = `generation/${REPOSITORY}/${version}`;
    const handle = client.workflow.getHandle(id);
    const failures = async (): Promise<string> => {
      const { raw } = await handle.describe();
      return (raw.pendingActivities ?? []).map(({ lastFailure }) => lastFailure?.message ?? '').join();
    };
    await vi.waitFor(async () => expect(await failures()).toMatch(SAYS_SO), 60_000);
    expect(await stateOf(release, version)).toMatchObject({ status: 'promoted', promoted: 1 });
    faults.arm(null);
    await disk.empty();
    expect(await promoting).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('promoted') as string });
    expect(await stateOf(release, version)).toMatchObject({ promoted: 1, tags: [version, `${version}-rc.1`] });
    const published = await release.ledger.sql(
      "SELECT FROM audit_events WHERE event_type = 'generation.published' AND resource_id = $1",
      [version],
    );
    expect(published).toHaveLength(1);
    replayed(id);
  });
});
