import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { unexplained } from '../../support/release/asides.ts';
import { test } from '../../support/release/releases.ts';
import { FULL_CI, openScene, play } from '../../support/release/scene.ts';
import { git } from '../../support/scratch-git.ts';

const transcript = (name: string): string => fileURLToPath(new URL(`transcripts/${name}.txt`, import.meta.url));

/** The pipeline before the policies were made. */
const RELEASE_PIPELINE = `name: release-pipeline
steps:
  - {name: test, command: 'sh test.sh'}
  - {name: build, command: 'tar -cf app.tar *.sh'}
`;

describe('the transcript of', () => {
  test('a release with three changes', async ({ release }) => {
    const scene = await openScene(release, 'web');
    await play(release, scene, transcript('standard-release'));
    release.replayed(`generation/${scene.repository}/v1.5.0`);
  });

  test('an urgent repair of a release', async ({ release }) => {
    const scene = await openScene(release, 'pool');
    git(scene.remote, 'tag', '-a', '-m', 'v2.3.0', 'v2.3.0', 'main');
    const begin = Date.now();
    const { asides } = await play(release, scene, transcript('hotfix'));
    // no other line of standard error could be left out
    const [first, ...others] = asides;
    const [id = '', ...progress] = first?.lines ?? [];
    const unlike = [
      [id, 'branch: 2/5 stages'],
      [id, 'working: 1/1 steps  leak the token'],
      [`${id}x`],
      progress,
      [id, id],
    ];
    for (const lines of unlike) {
      expect(await unexplained(release.client, [{ command: 'it', lines }, ...others], begin)).not.toEqual([]);
    }
    expect(await unexplained(release.client, asides, Date.now())).not.toEqual([]);
    release.replayed(`generation/${scene.repository}/v2.3.1`);
    expect(git(scene.remote, 'rev-parse', 'v2.3.1^{commit}')).toBe(git(scene.folder, 'rev-parse', 'HEAD'));
  });

  test('a release of three teams', async ({ release }) => {
    const scene = await openScene(release, 'suite');
    await play(release, scene, transcript('teams'));
    release.replayed(`generation/${scene.repository}/v3.0.0`);
  });

  test('contracts that are made, checked, listed and renamed', async ({ release }) => {
    await play(release, await openScene(release, 'drafts'), transcript('contracts'));
  });

  test('a change that a job of a CI system proves in a shallow clone without a branch', async ({ release }) => {
    const files = { '.gryt/pipelines/cd-pipeline.yaml': FULL_CI.replace('full-ci', 'cd-pipeline') };
    const scene = await openScene(release, 'dark', { files, installed: true });
    await play(release, scene, transcript('ci'));
    expect(
      await release.ledger.sql(
        'SELECT e.tag, e.status, e.created_by FROM evolutions e JOIN generations g USING (generation_id) WHERE repository = $1 ORDER BY rc',
        [scene.repository],
      ),
    ).toEqual([
      { tag: 'v4.1.0-rc.1', status: 'pass', created_by: 'tester' },
      { tag: 'v4.1.0-rc.2', status: 'pending', created_by: 'tester' },
    ]);
  });

  test('policies that refuse a pipeline', async ({ release }) => {
    const scene = await openScene(release, 'notify', {
      files: { '.gryt/pipelines/release-pipeline.yaml': RELEASE_PIPELINE },
    });
    await play(release, scene, transcript('policies'));
    expect(
      await release.ledger.sql(
        'SELECT event_type, count(*)::int AS n FROM audit_events WHERE repository = $1 GROUP BY 1 ORDER BY 1',
        [scene.repository],
      ),
    ).toEqual([
      { event_type: 'evolution.refused', n: 2 },
      { event_type: 'evolution.started', n: 1 },
    ]);
  });
});
