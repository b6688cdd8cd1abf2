import { z } from 'zod';
import { isBranchPattern, NOT_A_BRANCH_PATTERN } from '../git/branch.ts';
import { spanOfTime } from '../shared/span.schema.ts';
import { envName, plainUrl, shortName } from '../shared/values.schema.ts';
import { variableName } from './contracts/names.schema.ts';

const folder = z.string().regex(/^(\/|~\/)[^\0]*[^/]$/, 'give an absolute path');
const megabyte = 1_000_000;

/** Limits of every program of a repository. A job cannot raise them. */
const limitsSchema = z.strictObject({
  /** Processes and threads at the same time. */
  processes: z.int().min(16).max(1_000_000).default(2_048),
  /** Memory of a process, and of all processes of a program together. */
  memoryBytes: z
    .int()
    .min(64 * megabyte)
    .default(4_000_000_000),
  /** The largest file that a program writes. */
  fileBytes: z.int().min(megabyte).default(10_000_000_000),
  /** Content of home, `/tmp` and shared memory, each, where they are in memory. */
  temporaryBytes: z.int().min(megabyte).default(1_000_000_000),
  /** Output on stdout and stderr together. */
  outputBytes: z.int().min(megabyte).default(1_000_000_000),
  /** Processor seconds of a process. */
  cpuSeconds: z.int().min(1).default(14_400),
  /** Space that programs must leave free on the disk of `scratch`. */
  freeDiskBytes: z.int().min(0).default(1_000_000_000),
  /** Artifacts of a job, and each of its caches. */
  artifactBytes: z.int().min(megabyte).default(2_000_000_000),
});

/** Ids of repositories, in which `*` stands for any characters and `?` for one: `work/acme/*`. */
const repositories = z
  .array(
    z
      .string()
      .max(500)
      .regex(/^[^/\s]+\/\S+$/, 'give the id of a repository, such as work/acme/api, or a pattern such as work/acme/*'),
  )
  .min(1, 'give at least one repository')
  .max(1_000);

/** A value that jobs of some repositories may have. */
const secretSchema = z.strictObject({
  /** Name of the environment variable of the worker with the value. */
  valueEnv: envName,
  repositories,
});

/** How programs of repositories run (docs/pipelines.md). */
const pipelinesSchema = z.strictObject({
  /** What separates the programs from the machine. `none`: nothing does, and every report says so. */
  sandbox: z.enum(['bubblewrap', 'none']).default('bubblewrap'),
  /** Folders outside of /usr with compilers and the like, which programs may read at the same paths. */
  toolchains: z.array(folder).default([]),
  /** Whether a job may ask for the network of the machine. */
  network: z.boolean().default(false),
  /** Folder for checkouts and other files of running programs. */
  scratch: folder.optional(),
  limits: limitsSchema.prefault({}),
  /** Branches, or patterns of them: a cache that a run of another branch saved is not used in runs of these. */
  protectedBranches: z
    .array(z.string().refine(isBranchPattern, NOT_A_BRANCH_PATTERN))
    .max(100)
    .default(['main', 'master', 'release/*']),
  /** Secrets by the names that jobs ask for. */
  secrets: z.record(variableName, secretSchema).default({}),
});

/** How changes are released (docs/release.md). */
const releaseSchema = z.strictObject({
  /** Whether the tags of release candidates are pushed: another program may watch tags that begin with `v`. */
  pushCandidates: z.boolean().default(true),
  /** Whether a push that the gateway is told of proves the pending evolutions of the changes that its commits name. */
  onPush: z.boolean().default(false),
  /** Names of `alerts.channels` that promotions are announced to. */
  announce: z.array(shortName).max(50).default([]),
});

/** Scheme, host and port. */
const origin = plainUrl
  .refine((url) => new URL(url).pathname === '/', 'give scheme, host and port alone, such as http://prometheus:9090')
  .transform((url) => new URL(url).origin);

/** How releases are deployed (docs/deploy.md). Workers of the role `deploy` read it. */
const deploySchema = z.strictObject({
  /** The program kubectl: a name on the PATH of the worker, or an absolute path. */
  kubectl: z.string().min(1).max(1_000).default('kubectl'),
  /** The file with clusters and credentials; default: what kubectl reads, KUBECONFIG or ~/.kube/config. */
  kubeconfig: folder.optional(),
  /**
   * The file with the age identity that rendered manifests, and what they replace, are sealed to. The same for all workers
   * of the role `deploy`, which do not start without it; no other role needs it.
   */
  key: folder.optional(),
  /**
   * Which repositories may use which contexts of the kubeconfig: a contract names a context, and every repository could
   * name all of them. Others are refused.
   */
  contexts: z
    .record(
      z.string().min(1).max(200),
      z.strictObject({
        repositories,
        /** Scheme, host and port of servers that its environments may ask: Prometheus, and HTTP health checks. */
        addresses: z.array(origin).max(1_000).default([]),
        /**
         * Whether jobs of pipelines may deploy commits there that are not released: such a commit brings its own
         * environments, which no one may have reviewed.
         */
        candidates: z.boolean().default(false),
        /**
         * Whether its cluster no longer exists: nothing is deployed there, and what earlier deployments made there is
         * neither read nor deleted.
         */
        retired: z.boolean().default(false),
      }),
    )
    .default({}),
  /** How long a deployment to several clusters waits for one that cannot be reached, before everything is put back. */
  unreachable: spanOfTime('1d').prefault('5m'),
});

/** The sections of the release train in `longhaul.yaml`. */
export const releaseSections = {
  pipelines: pipelinesSchema.prefault({}),
  release: releaseSchema.prefault({}),
  deploy: deploySchema.prefault({}),
};
