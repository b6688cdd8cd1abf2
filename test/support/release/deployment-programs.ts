import type { MockActivityEnvironment } from '@temporalio/testing';
import { openSealed, type Seal } from '../../../activities/release/deployment/sealed.ts';
import type { HookResult, ProgramsWatched } from '../../../domain/release/deployment/hook.ts';
import { mockActivity } from '../mock-activity.ts';
import type { Jobs } from './jobs.ts';

/** Where programs of a deployment run: the environment `staging` of this repository, with one service `api`. */
export const DEPLOYMENT = 'd-1';
const REPOSITORY = 'local/acme/api';

/** The hook of an environment's only service, whose contract this is. */
export interface RunOfHook {
  /** YAML. */
  readonly hook: string;
  readonly direction?: 'up' | 'down';
  /** @default `migrate` */
  readonly name?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onHeartbeat?: (details: unknown) => void;
}

/** Runs a hook as the activity does. Adds its log to the result. */
export async function runHookOf(
  jobs: Jobs,
  { hook, direction = 'up', name = 'migrate', files = {}, signal, onHeartbeat }: RunOfHook,
): Promise<HookResult & { readonly text: string }> {
  const given = await declare(jobs, `manifests: {folder: k8s}, hooks: {before: [${hook}]}`, files);
  const activity = mockActivity();
  if (onHeartbeat) activity.on('heartbeat', onHeartbeat);
  signal?.addEventListener('abort', () => activity.cancel());
  const input = { ...given, service: 'api', when: 'before', hook: name, direction } as const;
  const result = await inActivity(activity, () => jobs.activities.runHook(input));
  return { ...result, text: await jobs.text(result.log) };
}

/** What the hook `migrate` and the health checks of a service with this contract (YAML) would be refused. */
export async function refusedTo(jobs: Jobs, service: string): Promise<readonly string[]> {
  const { repository, contracts, environment } = await declare(jobs, `manifests: {folder: k8s}, ${service}`, {});
  const hooks = [{ contracts, service: 'api', when: 'before', hook: 'migrate' } as const];
  const input = { repository, environment, checks: { contracts, services: ['api'] }, hooks };
  return inActivity(mockActivity(), () => jobs.activities.problemsOfPrograms(input));
}

/** Health checks to repeat. */
export interface RunOfChecks {
  /** YAML, a list. */
  readonly checks: string;
  readonly forMs: number;
  readonly files?: Readonly<Record<string, string>>;
  /** Details of the last heartbeat of an attempt that was interrupted. */
  readonly after?: unknown;
  readonly onHeartbeat?: (details: unknown) => void;
  readonly signal?: AbortSignal;
}

/** Repeats health checks as the activity does. */
export async function watchChecks(
  jobs: Jobs,
  { checks, forMs, files = {}, after, onHeartbeat, signal }: RunOfChecks,
): Promise<ProgramsWatched> {
  const given = await declare(jobs, `manifests: {folder: k8s}, health: ${checks}`, files);
  const activity = mockActivity({ heartbeatDetails: after });
  if (onHeartbeat) activity.on('heartbeat', onHeartbeat);
  signal?.addEventListener('abort', () => activity.cancel());
  const input = { ...given, services: ['api'], seconds: forMs / 1_000 };
  return inActivity(activity, () => jobs.activities.watchByProgram(input));
}

/** Manifests of the environment's only service. */
export interface RunOfRenderer {
  /** YAML. */
  readonly manifests: string;
  readonly files: Readonly<Record<string, string>>;
  readonly seal: Seal;
}

/** Renders manifests as the activity does, and opens them. */
export async function renderOf(jobs: Jobs, { manifests, files, seal }: RunOfRenderer): Promise<string> {
  const { deployment: _deployment, ...given } = await declare(jobs, `manifests: ${manifests}`, files);
  const input = { ...given, service: 'api', sealTo: seal.recipient };
  const digest = await inActivity(mockActivity(), () => jobs.activities.renderManifests(input));
  return Buffer.from(await openSealed(jobs.blobs, seal, digest)).toString('utf8');
}

/** Commits files with this contract, and stores it as the flow does. */
async function declare(jobs: Jobs, service: string, files: Readonly<Record<string, string>>) {
  const packed = await jobs.commit({
    ...files,
    '.longhaul/environments.yaml': `environments:
  - {name: staging, context: test, namespace: shop, services: {api: {${service}}}}
`,
  });
  const given = { repository: REPOSITORY, packed };
  const { contracts } = await inActivity(mockActivity(), () => jobs.activities.readEnvironments(given));
  return { ...given, contracts, environment: 'staging', deployment: DEPLOYMENT };
}

function inActivity<Result>(activity: MockActivityEnvironment, work: () => Promise<Result>): Promise<Result> {
  return activity.run(work);
}
