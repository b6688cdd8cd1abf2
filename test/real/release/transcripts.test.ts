import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished } from 'vitest';
import { BIN } from '../../support/command.ts';
import { unexplained } from '../../support/release/asides.ts';
import { type Release, test } from '../../support/release/releases.ts';
import { startShellCommand } from '../../support/release/shell-command.ts';
import { type Played, playTranscript } from '../../support/release/transcript.ts';
import { git, SCRATCH_ENV } from '../../support/scratch-git.ts';

const FOLDER = fileURLToPath(new URL('transcripts', import.meta.url));

/** A pipeline with the steps of the documents, which are programs of the repository. */
const FULL_CI = `name: full-ci
steps:
  - {name: linting, command: 'for file in *.sh; do sh -n "$file"; done'}
  - {name: unit-tests, command: 'sh test.sh'}
  - {name: integration-tests, command: 'sh test.sh all'}
  - {name: security-scan, command: '! grep -r PRIVATE --include=*.sh .'}
  - {name: build, command: 'tar -cf app.tar *.sh && test -s app.tar'}
`;
const TEST_SH = 'set -eu\nfor file in *.sh; do test -s "$file"; done\n';

/** The pipeline before the policies were made. */
const RELEASE_PIPELINE = `name: release-pipeline
steps:
  - {name: test, command: 'sh test.sh'}
  - {name: build, command: 'tar -cf app.tar *.sh'}
`;

interface Scene {
  /** The id of the repository. */
  readonly repository: string;
  readonly folder: string;
  readonly remote: string;
  readonly env: Record<string, string>;
}

/**
 * A repository on a remote of its own, a clone of it, and a shell in which `longhaul` is a command: the installed program,
 * or, which takes a tenth of the processor time, one that runs in this process.
 */
async function openScene(
  { estate, env, clone }: Release,
  name: string,
  {
    files = { '.gryt/pipelines/full-ci.yaml': FULL_CI },
    installed = false,
  }: { readonly files?: Readonly<Record<string, string>>; readonly installed?: boolean } = {},
): Promise<Scene> {
  await estate.create(`acme/${name}`, { 'test.sh': TEST_SH, ...files });
  const remote = estate.gitDir(`acme/${name}`);
  const scratch = join(dirname(clone), name);
  const bin = join(scratch, 'bin');
  mkdirSync(bin, { recursive: true });
  if (installed) {
    writeFileSync(join(bin, 'longhaul'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    chmodSync(join(bin, 'longhaul'), 0o755);
  } else onTestFinished(await startShellCommand(bin));
  const folder = join(scratch, 'clone');
  git(scratch, 'clone', '--quiet', remote, folder);
  const own = { ...SCRATCH_ENV, ...env, PATH: `${bin}:${env['PATH'] ?? ''}`, REMOTE: remote };
  return {
    repository: `local/acme/${name}`,
    folder,
    remote,
    env: Object.fromEntries(Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}

/**
 * Plays a transcript in a scene, and checks that nothing is hidden but what should be. Each placeholder stands for a time of
 * the play, a commit that was proven, a row of the ledger, or a duration that the ledger has too; each line of standard
 * error that is not in the file is the id or the progress of a flow that began in the play.
 */
async function play({ client, ledger, replayed }: Release, scene: Scene, name: string): Promise<Played> {
  const begin = Date.now();
  const minute = Math.floor(begin / 60_000) * 60_000;
  const played = await playTranscript(join(FOLDER, `${name}.txt`), {
    ...scene,
    scratch: join(dirname(scene.folder), `played-${name}`),
  });
  const { expected, actual, hidden, placeholders, asides } = played;
  expect(actual).toBe(expected);
  expect(hidden).toHaveLength(placeholders);
  expect(await unexplained(client, asides, begin)).toEqual([]);
  let run = '';
  for (const { placeholder, text } of hidden) {
    if (placeholder === 'time' || placeholder === 'instant') {
      const at = Date.parse(placeholder === 'time' ? `${text.replace(' ', 'T')}Z` : text);
      expect(at >= minute && at <= Date.now(), text).toBe(true);
    } else if (placeholder === 'commit') {
      const commit = git(scene.remote, 'rev-parse', '--verify', `${text}^{commit}`);
      const [found, ...more] = await ledger.sql<{ id: string; workflow_id: string }>(
        'SELECT pipeline_run_id AS id, workflow_id FROM pipeline_runs WHERE repository = $1 AND commit = $2',
        [scene.repository, commit],
      );
      expect(more).toEqual([]);
      run = found?.id ?? '';
      replayed(found?.workflow_id ?? '');
    } else if (placeholder === 'seconds') {
      // of the only job of the commit before it
      const jobs = 'SELECT duration FROM pipeline_jobs WHERE pipeline_run_id = $1';
      const [job, ...more] = await ledger.sql<{ duration: number }>(jobs, [run]);
      expect(more).toEqual([]);
      expect(text).toBe(Number(job?.duration).toFixed(1));
    } else if (placeholder === 'generation') {
      expect(await ledger.sql('SELECT FROM generations WHERE generation_id = $1', [text])).toHaveLength(1);
    } else {
      const evidence = "SELECT FROM evidence WHERE digest = $1 AND kind = 'release notes'";
      expect(await ledger.sql(evidence, [text])).toHaveLength(1);
    }
  }
  return played;
}

describe('the transcript of', () => {
  test('a release with three changes', async ({ release }) => {
    const scene = await openScene(release, 'web');
    await play(release, scene, 'standard-release');
    release.replayed(`generation/${scene.repository}/v1.5.0`);
  });

  test('an urgent repair of a release', async ({ release }) => {
    const scene = await openScene(release, 'pool');
    git(scene.remote, 'tag', '-a', '-m', 'v2.3.0', 'v2.3.0', 'main');
    const begin = Date.now();
    const { asides } = await play(release, scene, 'hotfix');
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
    await play(release, scene, 'teams');
    release.replayed(`generation/${scene.repository}/v3.0.0`);
  });

  test('contracts that are made, checked, listed and renamed', async ({ release }) => {
    await play(release, await openScene(release, 'drafts'), 'contracts');
  });

  test('a change that a job of a CI system proves in a shallow clone without a branch', async ({ release }) => {
    const files = { '.gryt/pipelines/cd-pipeline.yaml': FULL_CI.replace('full-ci', 'cd-pipeline') };
    const scene = await openScene(release, 'dark', { files, installed: true });
    await play(release, scene, 'ci');
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
    await play(release, scene, 'policies');
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
