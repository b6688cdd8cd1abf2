import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished } from 'vitest';
import { BIN } from '../command.ts';
import { git, SCRATCH_ENV } from '../scratch-git.ts';
import { unexplained } from './asides.ts';
import type { Release } from './releases.ts';
import { startShellCommand } from './shell-command.ts';
import { type Hidden, type Played, playTranscript } from './transcript.ts';

/** A pipeline with the steps of the documents, which are programs of the repository. */
export const FULL_CI = `name: full-ci
steps:
  - {name: linting, command: 'for file in *.sh; do sh -n "$file"; done'}
  - {name: unit-tests, command: 'sh test.sh'}
  - {name: integration-tests, command: 'sh test.sh all'}
  - {name: security-scan, command: '! grep -r PRIVATE --include=*.sh .'}
  - {name: build, command: 'tar -cf app.tar *.sh && test -s app.tar'}
`;

/** The tests of that pipeline. */
const TEST_SH = 'set -eu\nfor file in *.sh; do test -s "$file"; done\n';

/** Where a transcript is played. */
export interface Scene {
  /** When it was opened, in milliseconds since 1970. */
  readonly begin: number;
  /** The id of the repository. */
  readonly repository: string;
  /** The clone. */
  readonly folder: string;
  readonly remote: string;
  /** The variables of the shell; REMOTE is the remote. */
  readonly env: Record<string, string>;
}

/**
 * A repository on a remote of its own, a clone of it, and a shell in which `longhaul` is a command: the installed program,
 * or, which takes a tenth of the processor time, one that runs in this process. `variables` are further ones of the shell;
 * its programs are found in their PATH, if they have one.
 */
export async function openScene(
  { estate, env, clone }: Release,
  name: string,
  {
    files = { '.gryt/pipelines/full-ci.yaml': FULL_CI },
    installed = false,
    variables = {},
  }: {
    readonly files?: Readonly<Record<string, string>>;
    readonly installed?: boolean;
    readonly variables?: Readonly<Record<string, string>>;
  } = {},
): Promise<Scene> {
  const begin = Date.now();
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
  const { PATH = '', ...own } = { ...SCRATCH_ENV, ...env, ...variables };
  const all = { ...own, PATH: `${bin}:${PATH}`, REMOTE: remote };
  return {
    begin,
    repository: `local/acme/${name}`,
    folder,
    remote,
    env: Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}

/** Runs lines of shell in a scene before it is played. Throws with what they print when one fails. */
export async function prepare({ folder, env }: Scene, script: string): Promise<void> {
  await execa('bash', ['-euc', script], { cwd: folder, env, extendEnv: false, stdin: 'ignore' });
}

/**
 * Plays a transcript in a scene, and checks that nothing is hidden but what should be. Each placeholder stands for a time since
 * the scene was opened, a commit that was proven, a row of the ledger, or a duration that the ledger has too; each line of
 * standard error that is not in the file is the id or the progress of a flow that began in the play.
 */
export async function play(release: Release, scene: Scene, file: string): Promise<Played> {
  const begin = Date.now();
  const played = await playTranscript(file, { ...scene, scratch: join(dirname(scene.folder), 'played') });
  const { expected, actual, hidden, placeholders, asides } = played;
  expect(actual).toBe(expected);
  expect(hidden).toHaveLength(placeholders);
  expect(await unexplained(release.client, asides, begin)).toEqual([]);
  await verifyHidden(release, scene, hidden);
  return played;
}

/** Looks up in git or the ledger what placeholders hide. */
async function verifyHidden({ ledger, replayed }: Release, scene: Scene, hidden: readonly Hidden[]): Promise<void> {
  const minute = Math.floor(scene.begin / 60_000) * 60_000;
  let run = '';
  for (const { placeholder, text, line } of hidden) {
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
      // of the job that the line begins with, in the run of the commit before it
      const jobs = 'SELECT duration FROM pipeline_jobs WHERE pipeline_run_id = $1 AND job = $2';
      const [job, ...more] = await ledger.sql<{ duration: number }>(jobs, [run, /^ {2}(.+?): /.exec(line)?.[1]]);
      expect(more).toEqual([]);
      expect(text).toBe(Number(job?.duration).toFixed(1));
    } else if (placeholder === 'generation') {
      expect(await ledger.sql('SELECT FROM generations WHERE generation_id = $1', [text])).toHaveLength(1);
    } else if (placeholder === 'deployment') {
      const ids = 'SELECT FROM deployments WHERE repository = $1 AND left(deployment_id::text, length($2)) = $2';
      expect(await ledger.sql(ids, [scene.repository, text])).toHaveLength(1);
    } else {
      const evidence = "SELECT FROM evidence WHERE digest = $1 AND kind = 'release notes'";
      expect(await ledger.sql(evidence, [text])).toHaveLength(1);
    }
  }
}
