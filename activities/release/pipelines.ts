import { activityInfo } from '@temporalio/activity';
import { parsePathFilter } from '../../domain/git/path-filter.ts';
import type { Environment, EnvironmentService } from '../../domain/release/contracts/environments.schema.ts';
import { changesNamed } from '../../domain/release/contracts/change.ts';
import type { HookOfService, HookResult, ProgramsWatched } from '../../domain/release/deployment/hook.ts';
import type {
  JobResult,
  PackedCommit,
  PlannedRun,
  PlanPipelineInput,
  RunJobInput,
} from '../../domain/release/pipelines/job.ts';
import type { DeployHook, DeployPlace } from '../../domain/release/deployment/deployment.ts';
import type { SharedFile, SharedText } from '../../domain/release/deployment/shared-file.ts';
import { planRun } from '../../domain/release/pipelines/plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { timeLeft } from '../shared/time-left.ts';
import { checkContracts, type ContractFolder, isEnvironmentsFile } from './contracts/contracts.ts';
import { renderManifests } from './deployment/render-manifests.ts';
import { programsNotAllowed, programsOfChecks, programsOfHooks } from './deployment/programs-not-allowed.ts';
import { runHook } from './deployment/run-hook.ts';
import { watchByProgram, type WatchedSoFar } from './deployment/watch-by-program.ts';
import { readContracts, storeContracts } from './contracts/stored-contracts.ts';
import { type JobTools, runJob } from './pipelines/job-runner.ts';
import { readJson, readPlan, readText, storePlan } from './pipelines/stored-plan.ts';

/** Asks what a commit says. */
export interface ReadCommitInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** True for a commit that may be from before the contracts. @default false */
  readonly mayLackContracts?: boolean;
}

/** Asks for the environments of a commit. */
export interface ReadEnvironmentsInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of contracts that were recorded: they are read instead of those of the commit. */
  readonly contracts?: string;
  /** The file that the contracts of the commit name. @default not read yet */
  readonly shared?: SharedText;
}

/** What a commit says to the release train. */
export interface ReadCommit {
  /** Digest of its contracts. */
  readonly contracts: string;
  /** True for a commit without contracts. */
  readonly lacksContracts: boolean;
  /** The ids of changes that its message has in brackets: `[FEAT-201]`. */
  readonly named: readonly string[];
}

/** The environments of a commit, and their services. */
export interface ReadEnvironments {
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  readonly environments: readonly DeployPlace[];
  /** The shared file that has them, if that is not read; null for environments that are all here. */
  readonly from: SharedFile | null;
}

/** Asks for the manifests of a service. */
export interface RenderManifestsInput extends ReadCommitInput {
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  readonly environment: string;
  readonly service: string;
  /** The public key that the rendered manifests are sealed to, from the role `deploy`. */
  readonly sealTo: string;
}

/** Asks for a hook to be run. */
export interface RunHookInput extends HookOfService {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  /** Name of the environment. */
  readonly environment: string;
  /** Id of the deployment. */
  readonly deployment: string;
}

/** Asks what programs of a deployment would be refused. */
export interface ProblemsOfProgramsInput {
  readonly repository: string;
  /** Name of the environment. */
  readonly environment: string;
  /** Services whose health checks run, and the digest of their contracts. */
  readonly checks: { readonly contracts: string; readonly services: readonly string[] };
  /** Hooks, each of its own contracts. */
  readonly hooks: readonly (Pick<HookOfService, 'service' | 'when' | 'hook'> & { readonly contracts: string })[];
}

/** Asks for health checks by programs. */
export interface WatchByProgramInput {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  /** Name of the environment. */
  readonly environment: string;
  /** The services whose checks are repeated. */
  readonly services: readonly string[];
  /** Id of the deployment. */
  readonly deployment: string;
  /** For so long. 0: each check is tried until it is healthy once, or has failed too often. */
  readonly seconds: number;
}

/** Activities of the role `pipelines`: they run programs of repositories, and have no credentials. */
export interface PipelineActivities {
  /**
   * Plans a run from the pipeline as the commit has it. Throws `InvalidConfiguration` that lists everything that is wrong
   * with the contracts of the commit, or that there is no such pipeline; `SecretNotAllowed`.
   */
  planPipeline(input: PlanPipelineInput): Promise<PlannedRun>;
  /** What a commit says to the release train. Stores its contracts. Throws `InvalidConfiguration` when it has none, unless it may. */
  readCommit(input: ReadCommitInput): Promise<ReadCommit>;
  /**
   * The environments of a commit, and of the shared file that its contracts name. Stores its contracts with the text of
   * that. Throws `InvalidConfiguration` when they are wrong.
   */
  readEnvironments(input: ReadEnvironmentsInput): Promise<ReadEnvironments>;
  /**
   * Renders the manifests of a service, in a checkout of the commit, and returns the digest of the sealed stream in the
   * blob store. Throws `InvalidConfiguration`.
   */
  renderManifests(input: RenderManifestsInput): Promise<string>;
  /**
   * What hooks and health checks ask for and this worker would refuse them, a sentence each: a network, secrets. Asked
   * before the first change of a deployment.
   */
  problemsOfPrograms(input: ProblemsOfProgramsInput): Promise<readonly string[]>;
  /**
   * Runs a hook of a service, or what takes it back, in a clean checkout of the commit. A failed program is a result;
   * repeating the activity runs it again. Its heartbeats have the last lines of the output.
   */
  runHook(input: RunHookInput): Promise<HookResult>;
  /**
   * Repeats the health checks by programs of services, until the time is over or one has failed too often in a row. A
   * repeated activity continues where its last heartbeat was.
   */
  watchByProgram(input: WatchByProgramInput): Promise<ProgramsWatched>;
  /**
   * Runs one attempt of a job, in a clean checkout on this machine. A failed step is a result; repeating the activity
   * runs all steps again. Its heartbeats have the last lines of the output.
   */
  runJob(input: RunJobInput): Promise<JobResult>;
}

/** What a commit without contracts declares. */
const NO_CONTRACTS: ContractFolder = { name: '.longhaul', files: [] };

/** Creates the activities. */
export function createPipelineActivities(tools: JobTools): PipelineActivities {
  const { blobs, sources } = tools;

  /** Stores the contracts of a commit, with the text of a shared file instead of the one that names it. */
  async function storeContractsOf(
    { repository, packed, shared }: Omit<ReadEnvironmentsInput, 'contracts'>,
    signal: AbortSignal,
  ): Promise<string> {
    const folder = await sources.contracts(packed, { about: repository, signal });
    if (folder === null) throw noContracts(repository, packed);
    if (shared === undefined) return storeContracts(blobs, folder);
    const { text: digest, ...from } = shared;
    const text = await readText(blobs, digest);
    const files = folder.files.map((file) => (isEnvironmentsFile(file) ? { path: file.path, text, from } : file));
    return storeContracts(blobs, { ...folder, files });
  }

  async function environmentOf({
    repository,
    contracts,
    environment: name,
  }: Pick<RenderManifestsInput, 'repository' | 'contracts' | 'environment'>): Promise<Environment> {
    const { environments } = await readContracts(blobs, contracts, repository);
    const environment = environments.find((each) => each.name === name);
    if (environment !== undefined) return environment;
    throw new LonghaulError('InvalidInput', `${repository} has no environment ${name}.`);
  }

  return {
    planPipeline: (input) =>
      heartbeating(async (signal) => {
        const { repository, packed, pipeline: name, event, branch } = input;
        const at = `${repository} at ${packed.commit.slice(0, 12)}`;
        const folder = await sources.contracts(packed, { about: repository, signal });
        if (folder === null) throw noContracts(repository, packed);
        const { contracts, problems } = checkContracts(folder);
        if (problems.length > 0) throw invalid(`The contracts of ${at} are wrong:\n${problems.join('\n')}`);
        const pipeline = contracts.pipelines[name];
        if (pipeline === undefined) {
          const known = Object.keys(contracts.pipelines).join(', ') || 'none';
          throw invalid(`There is no pipeline ${name} in ${at}; pipelines: ${known}.`);
        }
        for (const job of Object.values(pipeline.jobs)) tools.secrets.valuesFor(repository, job.secrets);
        const changed = (await readJson(blobs, packed.changed)) as readonly string[];
        const plan = planRun(pipeline, {
          event,
          branch,
          hasChanged: (patterns) =>
            patterns.some((pattern) => changed.some((path) => parsePathFilter(pattern).matches(path))),
        });
        const { findings } = pipeline.quality ?? {};
        return {
          ...plan,
          plan: await storePlan(blobs, { plan, pipeline }),
          hasCaches: Object.values(pipeline.jobs).some(({ cache }) => cache.length > 0),
          hasRules: pipeline.quality !== undefined,
          comparedWith: findings === undefined ? null : { branch: findings.compared_with ?? null },
        };
      }),
    readCommit: ({ repository, packed, mayLackContracts = false }) =>
      heartbeating(async (signal) => {
        const options = { about: repository, signal };
        const folder = await sources.contracts(packed, options);
        if (folder === null && !mayLackContracts) throw noContracts(repository, packed);
        const message = await sources.message(packed, options);
        return {
          contracts: await storeContracts(blobs, folder ?? NO_CONTRACTS),
          lacksContracts: folder === null,
          named: changesNamed(message),
        };
      }),
    readEnvironments: ({ repository, packed, contracts: recorded, shared }) =>
      heartbeating(async (signal) => {
        const asked = { repository, packed, ...(shared === undefined ? {} : { shared }) };
        const contracts = recorded ?? (await storeContractsOf(asked, signal));
        const { environments, environmentsFrom: from } = await readContracts(blobs, contracts, repository);
        return {
          contracts,
          from,
          environments: environments.map((each, at) =>
            deployPlace(
              each,
              environments.slice(0, at).map(({ name }) => name),
            ),
          ),
        };
      }),
    renderManifests: ({ repository, packed, contracts, environment: name, service, sealTo }) =>
      heartbeating(async (signal) => {
        const { services } = await environmentOf({ repository, contracts, environment: name });
        const { manifests } = serviceOf(services, service, name);
        return renderManifests(tools, { repository, packed, environment: name, service, manifests, sealTo, signal });
      }),
    async problemsOfPrograms({ repository, environment, checks, hooks }) {
      const programs = [];
      for (const contracts of new Set([checks.contracts, ...hooks.map((hook) => hook.contracts)])) {
        const place = await environmentOf({ repository, contracts, environment });
        programs.push(
          ...programsOfHooks(
            place,
            hooks.filter((hook) => hook.contracts === contracts),
          ),
          ...(contracts === checks.contracts ? programsOfChecks(place, checks.services) : []),
        );
      }
      return programsNotAllowed(tools, repository, programs);
    },
    runHook: ({ contracts, ...input }) =>
      heartbeating(async (signal, onTail) => {
        const { repository, environment, service } = input;
        const { services } = await environmentOf({ repository, contracts, environment });
        const { hooks } = serviceOf(services, service, environment);
        return runHook(tools, { ...input, hooks, signal, onTail });
      }),
    watchByProgram: (input) =>
      heartbeating(async (signal, onRound) => {
        const environment = await environmentOf(input);
        for (const service of input.services) serviceOf(environment.services, service, environment.name);
        const before = activityInfo().heartbeatDetails as WatchedSoFar | undefined;
        const left = timeLeft(input.seconds);
        return watchByProgram(tools, { ...input, environment, before, left, signal, onRound });
      }),
    runJob: (input) =>
      heartbeating(async (signal, report) => {
        const { plan, pipeline } = await readPlan(blobs, input.plan);
        const planned = plan.jobs.find(({ id }) => id === input.job);
        const job = planned && pipeline.jobs[planned.job];
        if (planned === undefined || job === undefined) {
          throw new LonghaulError('InvalidInput', `The plan ${input.plan} has no job ${input.job}.`);
        }
        return runJob(tools, { input, planned, job, env: pipeline.env, signal, onTail: report });
      }),
  };
}

/** What a flow needs to know of an environment. */
function deployPlace(
  { name, services, concurrency, irreversible, watch, soak = 0 }: Environment,
  earlier: readonly string[],
): DeployPlace {
  return {
    name,
    earlier,
    concurrency,
    irreversible,
    watch,
    soak,
    services: Object.entries(services).map(
      ([
        service,
        {
          needs,
          ready,
          health,
          canary,
          hooks: { before, after },
        },
      ]) => ({
        name: service,
        needs,
        ready,
        before: before.map(deployHook),
        after: after.map(deployHook),
        hasPrograms: health.some(({ http }) => http === undefined),
        canary: canary ?? null,
      }),
    ),
  };
}

function deployHook({ name, down }: EnvironmentService['hooks']['before'][number]): DeployHook {
  return { name, hasDown: down !== undefined };
}

function serviceOf(services: Environment['services'], service: string, environment: string): EnvironmentService {
  const found = Object.hasOwn(services, service) ? services[service] : undefined;
  if (found !== undefined) return found;
  throw new LonghaulError('InvalidInput', `${environment} has no service ${service}.`);
}

function noContracts(repository: string, { commit }: PackedCommit): LonghaulError {
  return invalid(`${repository} has no contracts at ${commit.slice(0, 12)}: no folder .longhaul or .gryt.`);
}

function invalid(message: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', message);
}
