import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type BlobStore, createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { createGit } from '../../../activities/git/git.ts';
import { createPipelineActivities, type PipelineActivities } from '../../../activities/release/pipelines.ts';
import { createCommitSources } from '../../../activities/release/pipelines/commit-sources.ts';
import { createJobSecrets } from '../../../activities/release/pipelines/job-secrets.ts';
import { openSandbox } from '../../../activities/sandbox/open-sandbox.ts';
import { sandboxSettings } from '../../../activities/sandbox/sandbox-settings.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import type { JobResult, NeededJob, PackedCommit } from '../../../domain/release/pipelines/job.ts';
import type { JobEnd } from '../../../domain/release/pipelines/schedule.ts';
import { endOfRun, nextJobs } from '../../../domain/release/pipelines/schedule.ts';
import '../quiet-runtime.ts';
import { git, initRepository } from '../scratch-git.ts';
import { mockActivity } from '../mock-activity.ts';

/** What a worker of the role `pipelines` is configured with. */
export interface JobsOptions {
  /** The section `pipelines` of the configuration. */
  readonly pipelines?: object;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a job ended, and its log; null for a job that was skipped. */
export interface RanJob extends JobResult {
  readonly text: string;
}

/** A worker of the role `pipelines` in this process, without Temporal, and a repository. */
export interface Jobs {
  readonly blobs: BlobStore;
  readonly folder: string;
  readonly activities: PipelineActivities;
  /** Commits files, and packs the commit as the activity for it does. */
  commit(files: Readonly<Record<string, string>>): Promise<PackedCommit>;
  /**
   * Commits files with a pipeline `ci` of these jobs (YAML), and runs it, one job after another. Rejects as the activity
   * does.
   */
  run(
    jobs: string,
    files?: Readonly<Record<string, string>>,
    more?: {
      readonly branch?: string;
      /** Whether a protected branch of the remote has the commit. @default false */
      readonly isProtected?: boolean;
      readonly signal?: AbortSignal;
      readonly onTail?: (details: unknown) => void;
    },
  ): Promise<{ readonly status: 'passed' | 'failed'; readonly jobs: Readonly<Record<string, RanJob | null>> }>;
  /** A blob as text. */
  text(digest: string): Promise<string>;
  close(): Promise<void>;
}

export const REPOSITORY_OF_JOBS = 'local/acme/api';

/** Opens a worker. */
export async function openJobs({ pipelines = {}, env = {} }: JobsOptions = {}): Promise<Jobs> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-jobs-'));
  await chmod(folder, 0o711);
  const config = configSchema.parse({
    pipelines: {
      scratch: join(folder, 'scratch'),
      ...pipelines,
      limits: { freeDiskBytes: 0, ...(pipelines as { limits?: object }).limits },
    },
  });
  const all = { PATH: process.env['PATH'], ...env };
  const objects = join(folder, 'blobs');
  const blobs = createBlobStore(createFolderObjects(objects), join(objects, 'making'));
  const sandbox = await openSandbox(sandboxSettings({ config, cacheDir: folder }, all));
  const sources = createCommitSources(createGit(folder, all), blobs, join(folder, 'commits'));
  const activities = createPipelineActivities({
    blobs,
    sources,
    sandbox,
    secrets: createJobSecrets({ config }, all),
    artifactBytes: config.pipelines.limits.artifactBytes,
  });
  const repository = initRepository(join(folder, 'repository'));

  async function store(content: Buffer): Promise<string> {
    return (await blobs.put(Readable.from([content]))).digest;
  }

  async function commit(files: Readonly<Record<string, string>>): Promise<PackedCommit> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(repository, path)), { recursive: true });
      await writeFile(join(repository, path), text);
    }
    git(repository, 'add', '--all');
    git(repository, 'commit', '--quiet', '--allow-empty', '-m', 'a commit');
    const oid = git(repository, 'rev-parse', 'HEAD');
    const objectsOf = git(repository, 'rev-list', '--objects', '--no-walk', oid);
    const pack = execFileSync('git', ['pack-objects', '--stdout', '--quiet'], {
      cwd: repository,
      maxBuffer: 100_000_000,
      input: `${objectsOf.replaceAll(/ .*$/gm, '')}\n`,
    });
    return {
      commit: oid,
      tree: git(repository, 'rev-parse', 'HEAD^{tree}'),
      pack: await store(pack),
      changed: await store(Buffer.from(JSON.stringify(Object.keys(files)))),
    };
  }

  const text = async (digest: string): Promise<string> => (await buffer(await blobs.open(digest))).toString('utf8');

  return {
    blobs,
    folder,
    activities,
    commit,
    text,
    async run(
      jobs,
      files = {},
      {
        branch = null,
        isProtected = false,
        signal,
        onTail,
      }: {
        branch?: string | null;
        isProtected?: boolean;
        signal?: AbortSignal;
        onTail?: (details: unknown) => void;
      } = {},
    ) {
      const packed = await commit({ ...files, '.longhaul/pipelines/ci.yaml': `name: ci\njobs:\n${jobs}` });
      const common = { repository: REPOSITORY_OF_JOBS, packed, pipeline: 'ci', event: 'manual', branch } as const;
      const inActivity = <Result>(work: () => Promise<Result>): Promise<Result> => {
        const activity = mockActivity();
        if (onTail) activity.on('heartbeat', onTail);
        signal?.addEventListener('abort', () => activity.cancel());
        return activity.run(work);
      };
      const plan = await inActivity(() => activities.planPipeline(common));
      const ended: Record<string, RanJob | null> = {};
      const ends: Record<string, JobEnd> = {};
      const started = new Set<string>();
      for (;;) {
        const { start, skip } = nextJobs(plan, started, ends);
        for (const { id } of skip) {
          started.add(id);
          ends[id] = 'skipped';
          ended[id] = null;
        }
        for (const job of start) {
          started.add(job.id);
          const needs = Object.fromEntries(
            job.needs.map((id): [string, NeededJob] => {
              const { outputs = {}, artifacts = null } = ended[id] ?? {};
              return [id, { result: ends[id] ?? 'skipped', outputs, artifacts: artifacts?.digest ?? null }];
            }),
          );
          const result = await inActivity(() =>
            activities.runJob({
              ...common,
              plan: plan.plan,
              job: job.id,
              attempt: 1,
              needs,
              isProtected,
            }),
          );
          ended[job.id] = { ...result, text: await text(result.log.digest) };
          ends[job.id] = result.status;
        }
        if (start.length === 0 && skip.length === 0) return { status: endOfRun(plan, ends), jobs: ended };
      }
    },
    async close() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
