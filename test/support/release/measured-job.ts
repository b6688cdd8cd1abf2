// A worker of the role `pipelines` in a process of its own, which runs one job and measures its memory. Arguments: the
// folder of its files, and the jobs of a pipeline (YAML), of which it runs the job `big`. Its output is a MeasuredJob.
import { readFileSync, writeFileSync } from 'node:fs';
import type { JobResult } from '../../../domain/release/pipelines/job.ts';
import { mockActivity } from '../mock-activity.ts';
import { openJobs, REPOSITORY_OF_JOBS } from './jobs.ts';

/** A job that has ended, and the memory of the worker. */
export interface MeasuredJob {
  readonly result: JobResult;
  /** The file of its log in the blob store. */
  readonly log: string;
  /** Resident bytes of the worker before the job, after one without output. */
  readonly idle: number;
  /** The most resident bytes that it had while the job ran. */
  readonly most: number;
}

const [, , yaml = ''] = process.argv;

const jobs = await openJobs({
  pipelines: { secrets: { TOKEN: { valueEnv: 'TOKEN_OF_CI', repositories: ['local/acme/*'] } } },
  env: { TOKEN_OF_CI: process.env['TOKEN_OF_CI'] ?? '' },
});
const packed = await jobs.commit({ '.longhaul/pipelines/ci.yaml': `name: ci\njobs:\n${yaml}` });
const common = { repository: REPOSITORY_OF_JOBS, packed, pipeline: 'ci', event: 'manual' as const, branch: null };
const { plan } = await inActivity(() => jobs.activities.planPipeline(common));

function inActivity<Result>(work: () => Promise<Result>): Promise<Result> {
  return mockActivity().run(work);
}

function run(job: string): Promise<JobResult> {
  const input = { ...common, plan, job, attempt: 1, needs: {}, isProtected: false };
  return inActivity(() => jobs.activities.runJob(input));
}

/** A line of `/proc/self/status`, in bytes. */
function memory(field: string): number {
  const [, kilobytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

await run('idle');
// from here on Linux counts the largest size anew: proc(5)
writeFileSync('/proc/self/clear_refs', '5');
const idle = memory('VmRSS');
const result = await run('big');
const most = memory('VmHWM');
const { digest } = result.log;
process.send?.({
  result,
  log: `${jobs.folder}/blobs/sha256/${digest.slice(0, 2)}/${digest}`,
  idle,
  most,
} satisfies MeasuredJob);
// the test reads the log before
process.once('message', () => {
  jobs.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
