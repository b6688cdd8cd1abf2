import { z } from 'zod';
import { spanOfTime } from '../../shared/span.schema.ts';
import { qualityRules } from './quality.schema.ts';
import { programName, variableName } from './names.schema.ts';

/** Longest that a job may take, and its default in seconds. */
const LONGEST_JOB = '24h';
const DEFAULT_JOB_SECONDS = 3_600;

/** YAML writes numbers and booleans without quotes; a variable is text. */
const text = z.union([z.string().max(32_000), z.number(), z.boolean()]).transform(String);

const environment = z.record(variableName, text);

const step = z
  .strictObject({
    name: programName,
    /** The repository's own text for `bash -euo pipefail -c`. */
    command: z.string().min(1).max(100_000).optional(),
    /** A program and its arguments, without a shell. */
    run: z.array(z.string().max(32_000)).min(1, 'give at least the program').max(1_000).optional(),
    env: environment.default({}),
    timeout: spanOfTime(LONGEST_JOB).optional(),
  })
  .refine(({ command, run }) => (command === undefined) !== (run === undefined), {
    message: 'give either command, a text for bash, or run, a list of program and arguments',
  });

const axisValue = z.union([z.string().max(200), z.number(), z.boolean()]);
const combination = z.record(z.string(), axisValue);

const matrix = z
  .object({
    /** Further combinations; one that agrees with existing ones adds its other values to them. */
    include: z.array(combination).max(256).default([]),
    /** Combinations to leave out: all that agree with one of these. */
    exclude: z.array(combination).max(256).default([]),
  })
  .catchall(z.array(axisValue).min(1, 'give at least one value').max(256))
  .transform(({ include, exclude, ...axes }) => ({ include, exclude, axes }));

const patterns = z.array(z.string().min(1).max(300)).min(1, 'give at least one pattern').max(100);

const condition = z.strictObject({
  /** Patterns of branches, such as `release/*`. */
  branch: patterns.optional(),
  /** What started the run. */
  event: z
    .array(z.enum(['manual', 'evolution', 'push', 'promotion']))
    .min(1)
    .optional(),
  /** Patterns of paths, of which at least one differs from the first parent of the commit. */
  changed: patterns.optional(),
  /** How the jobs of `needs` must have ended. */
  result: z.enum(['success', 'failure', 'always']).default('success'),
});

const steps = z
  .array(step)
  .min(1, 'give at least one step')
  .max(200)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two steps have the same name');

/** Exactly one of a text for bash, and a program with its arguments. */
export const program = {
  command: z.string().min(1).max(100_000).optional(),
  run: z.array(z.string().max(32_000)).min(1, 'give at least the program').max(1_000).optional(),
};
/** True for exactly one of the two. */
export const isOneProgram = ({ command, run }: { command?: unknown; run?: unknown }): boolean =>
  (command === undefined) !== (run === undefined);
/** The message for {@link isOneProgram}. */
export const ONE_PROGRAM = { message: 'give either command, a text for bash, or run, a list of program and arguments' };

const service = z
  .strictObject({
    ...program,
    env: environment.default({}),
    /** A program that exits with 0 when the service is ready; it is tried again until then. */
    ready: z.strictObject({ ...program, timeout: spanOfTime('1h').default(60) }).refine(isOneProgram, ONE_PROGRAM),
  })
  .refine(isOneProgram, ONE_PROGRAM);

const cache = z.strictObject({
  /** Paths and patterns of files of the commit: when one of them differs, it is another cache. */
  key: patterns,
  /** Paths and patterns of the files to keep. */
  paths: patterns,
});

const reports = z
  .strictObject({
    junit: patterns.optional(),
    lcov: patterns.optional(),
    cobertura: patterns.optional(),
    gocover: patterns.optional(),
    sarif: patterns.optional(),
  })
  .refine((kinds) => Object.keys(kinds).length > 0, 'give at least one kind of report');

const job = z
  .strictObject({
    /** Jobs that must have ended before. */
    needs: z.array(programName).max(100).default([]),
    matrix: matrix.optional(),
    timeout: spanOfTime(LONGEST_JOB).default(DEFAULT_JOB_SECONDS),
    /** Further attempts after a failure. */
    retries: z.int().min(0).max(10).default(0),
    /** The run passes even if this job fails. Its steps prove nothing. */
    allow_failure: z.boolean().default(false),
    env: environment.default({}),
    /** Names that the steps write to the file LONGHAUL_OUTPUT as `name=value`, for the jobs that need this one. */
    outputs: z.array(variableName).max(50).default([]),
    /** Names of secrets: their values are variables of the job, if the configuration of the worker allows it. */
    secrets: z.array(variableName).max(50).default([]),
    /** Paths and patterns of files to keep; the jobs that need this one find them at the same places. */
    artifacts: patterns.optional(),
    /** Paths and patterns of reports, by kind; a missing or empty one lets the job fail. */
    reports: reports.optional(),
    /** Files that later runs find again. */
    cache: z.array(cache).max(20).default([]),
    /** Programs that run next to the steps, by name; they share a network that has nothing else. */
    services: z.record(programName, service).default({}),
    /** Whether its programs may reach the network. */
    network: z.boolean().default(false),
    if: condition.prefault({}),
    steps: steps.optional(),
    /** The environment to which the release of the commit is deployed, in place of steps. */
    deploy: programName.optional(),
  })
  .refine(({ steps: own, deploy }) => (own === undefined) !== (deploy === undefined), {
    message: 'give either steps, or deploy with the name of an environment',
  })
  .refine(({ env, secrets }) => secrets.every((name) => !(name in env)), {
    message: 'a name is both in env and in secrets',
    path: ['secrets'],
  })
  .refine(({ network, services: ofJob }) => !network || Object.keys(ofJob).length === 0, {
    message: 'a job with services has a network of its own: it cannot have that of the machine',
    path: ['network'],
  })
  .transform(({ steps: own, ...rest }) => ({ ...rest, steps: own ?? [] }));

/** `pipelines/NAME.yaml` (docs/pipelines.md). Unknown keys are refused. */
export const pipelineFile = z
  .strictObject({
    name: programName,
    /** The first failed job ends the run: jobs that are running are cancelled. */
    fail_fast: z.boolean().default(false),
    /** No further job starts after this many have failed. */
    max_failures: z.int().min(1).max(10_000).optional(),
    env: environment.default({}),
    /** Rules for the reports of its jobs. */
    quality: qualityRules.optional(),
    /** The steps of a pipeline with one job. */
    steps: steps.optional(),
    jobs: z
      .record(programName, job)
      .refine((jobs) => Object.keys(jobs).length > 0, 'give at least one job')
      .optional(),
  })
  .refine(({ steps: own, jobs }) => (own === undefined) !== (jobs === undefined), {
    message: 'give either steps, for one job, or jobs',
  })
  .transform(({ steps: own, jobs, ...rest }) => ({
    ...rest,
    jobs: jobs ?? { [rest.name]: job.parse({ steps: own?.map(asWritten) }) },
  }));

/** A step as its file declares it, which its schema can read once more. */
function asWritten({ timeout, ...rest }: z.output<typeof step>): z.input<typeof step> {
  return { ...rest, ...(timeout === undefined ? {} : { timeout: `${timeout}s` }) };
}

/** A pipeline as its file declares it. */
export type Pipeline = z.output<typeof pipelineFile>;

/** A job of a {@link Pipeline}. */
export type PipelineJob = Pipeline['jobs'][string];

/** A service of a {@link PipelineJob}. */
export type JobService = PipelineJob['services'][string];

/** A cache of a {@link PipelineJob}. */
export type JobCache = PipelineJob['cache'][number];
