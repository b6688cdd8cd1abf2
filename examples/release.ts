import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { styleText } from 'node:util';
import { execa } from 'execa';
import { makeFleet } from './fleet.ts';
import type { FleetProgress } from './fleet.ts';
import { git } from './git.ts';
import { openPlace } from './place.ts';
import type { Place } from './place.ts';
import {
  RELEASE_CONTRACT,
  RELEASE_PIPELINE,
  RELEASE_POLICY,
  RELEASED_CHANGES,
  RELEASED_PACKAGE,
  RELEASED_VERSION,
} from './release-changes.ts';
import type { ReleasedChange } from './release-changes.ts';
import { factsOf } from './release-facts.ts';
import { evolutionRows, generationRows, promotionEvents } from './results.schema.ts';
import type { Stages } from './stages.ts';

/** The name of the provider of {@link ReleaseScene.remotes}. */
export const PROVIDER = 'demo';

/** Where a release is shown. */
export interface ReleaseScene {
  /** The folder of the remotes: bare repositories, one for each run. */
  readonly remotes: string;
  /** The folder of the clones. */
  readonly clones: string;
  /** The folder of the repository with all published versions, and that of the packages. */
  readonly published: string;
  readonly cacheDir: string;
}

/** How a release is shown. */
export interface ReleaseOptions {
  readonly config: string;
  readonly dataDir: string | undefined;
  readonly release: ReleaseScene;
  readonly stages: Stages;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: FleetProgress) => void;
}

/** A release that was shown. */
export interface ShownRelease {
  /** The id of its repository. */
  readonly repository: string;
  readonly version: string;
  /** What the remote or the ledger should hold and does not; empty when all is as it should be. */
  readonly problems: readonly string[];
}

/**
 * Releases a version of a real package, as docs/release.md describes it: the contract, an evolution of each change, the
 * promotion. Each command is printed with its output. At the end git and SQL say what the remote and the ledger hold.
 * Rejects with `CommandFailed` when a command fails.
 */
export async function showRelease(options: ReleaseOptions): Promise<ShownRelease> {
  const { stages } = options;
  const place = await stages.stage(
    'make the repository',
    () => makePlace(options),
    ({ remote }) => `versions up to ${RELEASED_PACKAGE.early} of ${RELEASED_PACKAGE.name} in ${remote}`,
  );
  await stages.stage(
    `declare ${RELEASED_VERSION}`,
    () => declare(place),
    () => `${RELEASED_CHANGES.length} changes, 1 pipeline, 3 policies`,
  );
  const proven: string[] = [];
  for (const change of RELEASED_CHANGES) {
    const commit = await stages.stage(
      `prove ${change.id}: ${change.title}`,
      () => prove(place, change),
      (oid) => `${oid.slice(0, 12)} is ${RELEASED_PACKAGE.name} ${change.version}`,
    );
    proven.push(commit);
  }
  await stages.stage(
    'look at the progress',
    () => place.longhaul('evolution', 'list', RELEASED_VERSION),
    () => `${proven.length} changes are proven`,
  );
  await stages.stage(
    `promote ${RELEASED_VERSION}`,
    async () => {
      await place.git('push', '--quiet', 'origin', 'main');
      await place.longhaul('generation', 'promote', RELEASED_VERSION);
    },
    () => 'the tag is on the remote',
  );
  const problems = await stages.stage(
    'what the remote and the ledger hold',
    () => findProblems(place, proven),
    (found) => (found.length === 0 ? 'all as it should be, by git and SQL' : `${found.length} problems`),
  );
  return { repository: place.repository, version: RELEASED_VERSION, problems };
}

async function makePlace({ release, config, dataDir, signal, onProgress }: ReleaseOptions): Promise<Place> {
  const { remotes, clones, published, cacheDir } = release;
  await makeFleet({ root: published, cacheDir, packages: [RELEASED_PACKAGE], signal, onProgress });
  const source = join(published, `${RELEASED_PACKAGE.path}.git`);
  // a version is released once: each run has a repository of its own
  const [org = '', name = ''] = RELEASED_PACKAGE.path.split('/');
  await mkdir(join(remotes, org), { recursive: true });
  await mkdir(clones, { recursive: true });
  const earlier = (await readdir(join(remotes, org))).map((entry) => Number(/-(\d+)\.git$/.exec(entry)?.[1] ?? 0));
  const number = Math.max(0, ...earlier) + 1;
  const remote = join(remotes, org, `${name}-${number}.git`);
  const clone = join(clones, `${name}-${number}`);
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', remote], signal);
  const versions = RELEASED_PACKAGE.versions.slice(0, RELEASED_PACKAGE.versions.indexOf(RELEASED_PACKAGE.early) + 1);
  const refs = versions.map((version) => `refs/tags/v${version}`);
  const head = `v${RELEASED_PACKAGE.early}^{commit}:refs/heads/main`;
  await git([`--git-dir=${source}`, 'push', '--quiet', remote, head, ...refs], signal);
  await git(['clone', '--quiet', remote, clone], signal);
  await git(['-C', clone, 'config', 'user.name', 'Ada'], signal);
  await git(['-C', clone, 'config', 'user.email', 'ada@example.invalid'], signal);
  await git(['-C', clone, 'remote', 'add', 'published', source], signal);

  return openPlace({ repository: `${PROVIDER}/${org}/${name}-${number}`, remote, clone, config, dataDir, signal });
}

async function declare({ git: runGit, longhaul, write }: Place): Promise<void> {
  await write('.longhaul/pipelines/full-ci.yaml', RELEASE_PIPELINE);
  await write('.longhaul/policy.yaml', RELEASE_POLICY);
  await longhaul('generation', 'new', RELEASED_VERSION);
  await write(`.longhaul/generations/${RELEASED_VERSION}.yaml`, RELEASE_CONTRACT);
  await longhaul('release', 'check');
  await runGit('add', '.');
  await runGit('commit', '--quiet', '-m', `chore: the contract of ${RELEASED_VERSION}`);
}

/** An evolution of a change, whose content is what the package published. Returns its commit. */
async function prove(
  { git: runGit, longhaul, write, clone }: Place,
  { id, version, subject, test }: ReleasedChange,
): Promise<string> {
  await longhaul('evolution', 'start', RELEASED_VERSION, '--change', id);
  await runGit('fetch', '--quiet', '--no-tags', 'published', `v${version}`);
  await runGit('rm', '--quiet', '-r', '.', ':!.longhaul', ':!test');
  await runGit('checkout', 'FETCH_HEAD', '--', '.');
  await write(`test/${id}.test.cjs`, test);
  await runGit('add', '.');
  await runGit('commit', '-m', `${subject} [${id}]`);
  await longhaul('run', 'full-ci');
  return git(['-C', clone, 'rev-parse', 'HEAD']);
}

/** Reads the remote by git and the ledger by SQL, and returns what is not as it should be. */
async function findProblems({ git: runGit, longhaul }: Place, proven: readonly string[]): Promise<string[]> {
  const refs = await runGit('ls-remote', 'origin', 'main', `${RELEASED_VERSION}*`);
  const query = async (sql: string): Promise<unknown> => JSON.parse(await longhaul('db', 'query', sql, '--json'));
  const generations = generationRows.parse(await query('SELECT version, status, commit, tag FROM generations'));
  const evolutions = evolutionRows.parse(
    await query('SELECT tag, change_id, status, commit FROM evolutions ORDER BY rc'),
  );
  const promotions = promotionEvents.parse(
    await query("SELECT resource_id FROM audit_events WHERE event_type = 'generation.promoted'"),
  );
  await longhaul('audit', 'verify');
  const facts = factsOf({ refs, generations, evolutions, promotions }, proven);
  for (const [fact, isHeld] of facts)
    process.stdout.write(`${isHeld ? styleText('green', 'held') : styleText('red', 'NOT HELD')}: ${fact}\n`);
  return facts.filter(([, isHeld]) => !isHeld).map(([fact]) => `This does not hold: ${fact}.`);
}

/** The oldest Node that runs the tests of the package. */
const OLDEST_NODE = 20;

/**
 * The folder whose `bin` has a Node for programs of the package, as `pipelines.toolchains`; none where `/usr` has one,
 * which every program sees.
 */
export async function nodeToolchain(): Promise<string[]> {
  for (const node of ['/usr/local/bin/node', '/usr/bin/node']) {
    const version = await execa(node, ['--version']).then(
      ({ stdout }) => stdout,
      () => '',
    );
    if (Number(/^v(\d+)\./.exec(version)?.[1]) >= OLDEST_NODE) return [];
  }
  return [dirname(dirname(process.execPath))];
}
