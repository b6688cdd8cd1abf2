import { standing } from '../../../domain/release/deployment/standing.ts';
import { arrivalOf } from '../../../domain/release/train/overtaken.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { ReleaseKey } from './released.ts';

/** An environment of a repository. */
export interface EnvironmentKey {
  readonly repository: string;
  readonly environment: string;
}

/** Why earlier deployments of a release to an environment did not stay, the latest first, since it last stayed there. */
export async function failedDeployments(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<readonly string[]> {
  const rows = await ledger
    .selectFrom('deployments')
    .select(['status', 'why'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where('version', '=', version)
    .where('status', 'in', ['deployed', 'undone', 'not undone'])
    .orderBy('sequence', 'desc')
    .limit(20)
    .execute();
  const since = rows.findIndex(({ status }) => status === 'deployed');
  return rows.slice(0, since === -1 ? rows.length : since).map(({ why }) => why ?? 'unknown');
}

/** A release that an environment had after another one. */
export interface LaterDeployment {
  readonly version: string;
  readonly packed: PackedCommit;
  readonly contracts: string;
  readonly services: readonly string[];
}

/**
 * The releases that an environment was given upon this one, the latest first: their hooks are taken back to go back to it.
 * Throws `InvalidInput` for a version that is not below its present one.
 */
export async function laterDeployments(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<readonly LaterDeployment[]> {
  const releases = standing(await stayedIn(ledger, { repository, environment }));
  const at = releases.findLastIndex((row) => row.version === version);
  if (at === -1) {
    throw new LonghaulError(
      'InvalidInput',
      `${environment} has no release of ${repository} upon ${version}: deploy it instead.`,
    );
  }
  return releases
    .slice(at + 1)
    .toReversed()
    .map(({ packed, contracts, services, version: later }) => ({
      version: later,
      packed: packed as unknown as PackedCommit,
      contracts,
      services,
    }));
}

/** Digest of the contracts that a release last stayed in an environment with; null when it never did. */
export async function contractsThen(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<string | null> {
  const stayed = await stayedIn(ledger, { repository, environment });
  return stayed.findLast((row) => row.version === version)?.contracts ?? null;
}

/** The deployments to an environment that stayed, with `withOpen` also those at work, the first one first. */
export async function stayedIn(
  ledger: LedgerDatabase,
  { repository, environment }: EnvironmentKey,
  { withOpen = false }: { readonly withOpen?: boolean } = {},
) {
  return ledger
    .selectFrom('deployments')
    .select(['deployment_id', 'version', 'commit', 'packed', 'contracts', 'services', 'goes_back as goesBack'])
    .where('repository', '=', repository)
    .where('environment', '=', environment)
    .where((where) => {
      const stayed = where('status', '=', 'deployed');
      const isOpen = where.and([where('started_at', 'is not', null), where('ended_at', 'is', null)]);
      return withOpen ? where.or([stayed, isOpen]) : stayed;
    })
    .orderBy('sequence')
    .execute();
}

/** Asks about a deployed release that goes on to another environment. */
export interface Soaked {
  /** Id of the deployment that it comes from. */
  readonly deployment: string;
  /** The environment that it goes on to. */
  readonly to: string;
}

/**
 * Why a release that was deployed to an environment may not go on to the next one, the rest of a sentence; null when it
 * may. One that a later release has followed goes on, one from which people went back does not, nor one that people have
 * deployed there meanwhile.
 */
export async function problemOfSoaked(ledger: LedgerDatabase, { deployment, to }: Soaked): Promise<string | null> {
  const row = await ledger
    .selectFrom('deployments')
    .select(['status', 'repository', 'environment', 'version'])
    .where('deployment_id', '=', deployment)
    .executeTakeFirst();
  if (row?.status !== 'deployed') return `the deployment ${deployment} did not stay`;
  // also where people are going back just now
  const all = await stayedIn(ledger, row, { withOpen: true });
  if (standing(all).some(({ version }) => version === row.version)) {
    return problemThere(ledger, { ...row, environment: to });
  }
  const back = all.findLast(({ goesBack }) => goesBack);
  return `${row.environment} went back to ${back?.version} (${back?.deployment_id})`;
}

/** The same for the environment that it goes on to. */
async function problemThere(
  ledger: LedgerDatabase,
  { repository, environment, version }: EnvironmentKey & ReleaseKey,
): Promise<string | null> {
  const there = await stayedIn(ledger, { repository, environment }, { withOpen: true });
  const { isThere, overtaken } = arrivalOf(there, { version, environment });
  return isThere ? `${environment} has ${version} already` : (overtaken?.replace(/\.$/u, '') ?? null);
}
