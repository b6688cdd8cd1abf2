import type { DeployPlace, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import { inLanes } from '../shared/lanes.ts';
import { changeActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { BRIEF_QUEUE, PATIENT_QUEUE, sealingKey } from './deploy-worker.ts';
import { refusal } from './deployment-failures.ts';
import { readEnvironments } from './read-environments.ts';

/** Services whose manifests are rendered at once. */
const RENDERED_AT_ONCE = 8;

/**
 * The environment as the contracts of the commit have it, or those that were recorded; `then` finds recorded ones where
 * another repository has the environment.
 */
export async function placeOf(
  {
    repository,
    packed,
    environment,
    services,
    contracts: recorded,
  }: Pick<EnvironmentChange, 'repository' | 'packed' | 'environment' | 'services'> & {
    readonly contracts?: string | undefined;
  },
  then?: () => Promise<string | null>,
): Promise<{ readonly place: DeployPlace; readonly contracts: string }> {
  const { environments, contracts } = await readEnvironments({ repository, packed, contracts: recorded }, then);
  const place = environments.find(({ name }) => name === environment);
  if (place === undefined) throw refusal(`${repository} has no environment ${environment}.`);
  if (services === undefined) return { place, contracts };
  const asked = place.services.filter(({ name }) => services.includes(name));
  // what is not deployed is there already
  const needed = (needs: readonly string[]): string[] => needs.filter((name) => services.includes(name));
  const deployed = asked.map((service) => ({ ...service, needs: needed(service.needs) }));
  return { place: { ...place, services: deployed }, contracts };
}

/** Renders the manifests and plans the deployment. */
export async function makePlan(given: EnvironmentChange, place: DeployPlace): Promise<PlannedDeployment> {
  const { repository, packed, contracts, environment, version, by, dryRun } = given;
  const names = place.services.map(({ name }) => name);
  const sealTo = await sealingKey(dryRun ? BRIEF_QUEUE : PATIENT_QUEUE);
  const images = await ledgerActivities.findImages.executeWithOptions({ summary: 'images by digest' }, [
    {
      repository,
      tree: packed.tree,
      contracts,
      environment,
      services: names,
      ...(given.candidate === undefined ? {} : { outputs: given.candidate.outputs }),
    },
  ]);
  const rendered = new Map<string, string>();
  await inLanes(names, RENDERED_AT_ONCE, async (service) => {
    rendered.set(
      service,
      await pipelineActivities.renderManifests.executeWithOptions({ summary: `render ${service}` }, [
        { repository, packed, contracts, environment, service, sealTo },
      ]),
    );
  });
  return changeActivities.planDeployment.executeWithOptions({ summary: 'plan' }, [
    {
      repository,
      version,
      commit: packed.commit,
      packed,
      contracts,
      environment,
      services: names.map((service) => ({ service, manifests: rendered.get(service) ?? '' })),
      images,
      isPartial: given.services !== undefined,
      goBack: given.goBack,
      isCandidate: given.candidate !== undefined,
      by,
      isDryRun: dryRun,
    },
  ]);
}
