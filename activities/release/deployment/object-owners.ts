import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { placedName } from '../../../domain/kubernetes/placed.ts';
import { ENVIRONMENT_ANNOTATION, REPOSITORY_ANNOTATION } from '../../../domain/release/deployment/deployment.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { PlannedObject } from './deployment-objects.ts';
import type { PlanTools } from './plan-tools.ts';

/** Whose deployments write an object. */
export interface ObjectOwner {
  readonly repository: string;
  /** Name of the environment. */
  readonly environment: string;
}

/** True for an object that a deployment of another repository or environment wrote last, as it says itself. */
export function isOfAnother(object: KubernetesObject, { repository, environment }: ObjectOwner): boolean {
  const found = ownerOf(object);
  return (found.repository ?? repository) !== repository || (found.environment ?? environment) !== environment;
}

function ownerOf({ metadata: { annotations } }: KubernetesObject): Partial<ObjectOwner> {
  const [repository, environment] = [annotations?.[REPOSITORY_ANNOTATION], annotations?.[ENVIRONMENT_ANNOTATION]];
  return { ...(repository === undefined ? {} : { repository }), ...(environment === undefined ? {} : { environment }) };
}

/** An environment that is deployed to. */
interface Deploying {
  readonly owner: ObjectOwner;
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  /** The context of the environment. */
  readonly home: string;
}

/**
 * What keeps a deployment from objects of others, a sentence each. Objects of an environment that has another name now are
 * taken over.
 */
export async function objectsOfOthers(
  tools: Pick<PlanTools, 'ledger' | 'blobs'>,
  deploying: Deploying,
  planned: readonly PlannedObject[],
): Promise<readonly string[]> {
  const { owner, home } = deploying;
  const problems: string[] = [];
  const together = new Map<string, boolean>();
  for (const { key, before } of planned) {
    if (before === null || !isOfAnother(before, owner)) continue;
    const { repository = owner.repository, environment = owner.environment } = ownerOf(before);
    const name = placedName(key, home);
    if (repository !== owner.repository) {
      problems.push(`${name} is of a release of ${repository}: one of the two must leave it out.`);
      continue;
    }
    const isTogether = together.get(environment) ?? (await areTogether(tools, deploying, environment));
    together.set(environment, isTogether);
    if (!isTogether) continue;
    problems.push(
      `${name} is of the environment ${environment}: leave it out here, or deploy ${environment} without it first.`,
    );
  }
  return problems;
}

/**
 * True when a release has both environments: the one that is deployed, or the last one of the other environment. Otherwise
 * they are one whose name was changed.
 */
async function areTogether(
  { ledger, blobs }: Pick<PlanTools, 'ledger' | 'blobs'>,
  { owner: { repository, environment }, contracts }: Deploying,
  other: string,
): Promise<boolean> {
  const namesIn = async (digest: string): Promise<readonly string[]> =>
    (await readContracts(blobs, digest, repository)).environments.map(({ name }) => name);
  if ((await namesIn(contracts)).includes(other)) return true;
  const last = await ledger
    .selectFrom('deployments')
    .select('contracts')
    .where('repository', '=', repository)
    .where('environment', '=', other)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last !== undefined && (await namesIn(last.contracts)).includes(environment);
}
