import type { DeployHook, DeployPlace } from '../../domain/release/deployment/deployment.ts';
import type { LaterDeployment } from '../../activities/release/deployment/stayed.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import { ledgerActivities, pipelineActivities } from './activities.ts';

/** A hook to run. */
export interface HookStep {
  readonly service: string;
  readonly hook: string;
  readonly when: 'before' | 'after';
  /** `down` takes back what it did. */
  readonly direction: 'up' | 'down';
  /** The commit that it is run from. */
  readonly packed: PackedCommit;
  readonly contracts: string;
  /** False when nothing takes this step back. */
  readonly canBeUndone: boolean;
}

/** The hooks of a service, in the order in which they run. */
export interface ServiceHooks {
  /** Before its objects are applied. */
  readonly before: readonly HookStep[];
  /** When its objects are ready. */
  readonly after: readonly HookStep[];
}

/** The hooks of a deployment. */
export interface DeploymentHooks {
  readonly services: ReadonlyMap<string, ServiceHooks>;
  /** Those of services that the environment no longer has, when everything else is done. */
  readonly last: readonly HookStep[];
  /** Hooks that could not be taken back, a sentence each. */
  readonly lasting: readonly string[];
  /** What hooks and health checks ask for and would be refused, a sentence each. */
  readonly problems: readonly string[];
}

/**
 * The hooks that a deployment runs: those of its release; for one that goes back, the down steps of everything that came
 * later instead, from the commits of those releases, the latest first.
 */
export async function hooksOf(given: EnvironmentChange, place: DeployPlace): Promise<DeploymentHooks> {
  const { repository, environment, contracts } = given;
  const hooks = await (given.goBack ? hooksBack(given, place) : hooksForward(given, place));
  const steps = [...[...hooks.services.values()].flatMap(({ before, after }) => [...before, ...after]), ...hooks.last];
  const problems = await pipelineActivities.problemsOfPrograms.executeWithOptions(
    { summary: 'what programs may ask for' },
    [
      {
        repository,
        environment,
        checks: { contracts, services: place.services.map(({ name }) => name) },
        hooks: steps.map((step) => ({
          contracts: step.contracts,
          service: step.service,
          when: step.when,
          hook: step.hook,
        })),
      },
    ],
  );
  return { ...hooks, problems };
}

type Found = Omit<DeploymentHooks, 'problems'>;

function hooksForward({ packed, contracts }: EnvironmentChange, place: DeployPlace): Found {
  const steps = (service: string, when: HookStep['when'], hooks: readonly DeployHook[]): HookStep[] =>
    hooks.map(({ name: hook, hasDown }) => ({
      service,
      hook,
      when,
      direction: 'up',
      packed,
      contracts,
      canBeUndone: hasDown,
    }));
  const services = new Map(
    place.services.map(({ name, before, after }): [string, ServiceHooks] => [
      name,
      { before: steps(name, 'before', before), after: steps(name, 'after', after) },
    ]),
  );
  const lasting = [...services.values()]
    .flatMap(({ before, after }) => [...before, ...after])
    .filter(({ canBeUndone }) => !canBeUndone)
    .map(({ hook, service }) => `The hook ${hook} of ${service} has no down step.`);
  return { services, last: [], lasting };
}

async function hooksBack(given: EnvironmentChange, place: DeployPlace): Promise<Found> {
  const { repository, environment, version } = given;
  const later = await ledgerActivities.laterDeployments.executeWithOptions({ summary: 'what came later' }, [
    { repository, environment, version },
  ]);
  const known = new Set(place.services.map(({ name }) => name));
  const services = new Map<string, { before: HookStep[]; after: HookStep[] }>();
  const last: HookStep[] = [];
  const lasting: string[] = [];
  for (const deployed of later) {
    for (const { name, before, after } of await servicesThen(given, deployed)) {
      const steps = (when: HookStep['when'], hooks: readonly DeployHook[]): HookStep[] =>
        hooks.toReversed().flatMap(({ name: hook, hasDown }): HookStep[] => {
          if (!hasDown) {
            lasting.push(`The hook ${hook} of ${name} in ${deployed.version} has no down step.`);
            return [];
          }
          const { packed, contracts } = deployed;
          return [{ service: name, hook, when, direction: 'down', packed, contracts, canBeUndone: true }];
        });
      if (!known.has(name)) {
        last.push(...steps('after', after), ...steps('before', before));
        continue;
      }
      const own = services.get(name) ?? { before: [], after: [] };
      // the reverse of the way forward: what ran when it was ready is taken back first
      own.before.push(...steps('after', after));
      own.after.push(...steps('before', before));
      services.set(name, own);
    }
  }
  return { services, last, lasting };
}

/** The services that a later deployment deployed, as its release has them. */
async function servicesThen(
  { repository, environment, services: asked }: EnvironmentChange,
  { packed, contracts, services }: LaterDeployment,
): Promise<DeployPlace['services']> {
  const { environments } = await pipelineActivities.readEnvironments.executeWithOptions(
    { summary: 'read the environments of a later release' },
    [{ repository, packed, contracts }],
  );
  const place = environments.find(({ name }) => name === environment);
  return (place?.services ?? []).filter(
    ({ name }) => services.includes(name) && (asked === undefined || asked.includes(name)),
  );
}
