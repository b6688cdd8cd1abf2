import type { ReleasedCommit } from '../../../domain/release/deployment/deployment.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readContracts } from '../contracts/stored-contracts.ts';

/** Names a release. */
export interface ReleaseKey {
  readonly repository: string;
  /** `v1.5.0` */
  readonly version: string;
}

/** The commit of a release. Throws `InvalidInput` for a version that is not promoted. */
export async function findReleased(
  ledger: LedgerDatabase,
  { repository, version }: ReleaseKey,
): Promise<ReleasedCommit> {
  const found = await ledger
    .selectFrom('generations')
    .select(['status', 'commit'])
    .where('repository', '=', repository)
    .where('version', '=', version)
    .executeTakeFirst();
  if (found?.status !== 'promoted' || found.commit === null) {
    const what = found === undefined ? `has no release ${version}` : `has not promoted ${version} yet`;
    throw new LonghaulError(
      'InvalidInput',
      `${repository} ${what}: only a promoted release can be deployed (\`longhaul generation promote ${version}\`).`,
    );
  }
  return { version, commit: found.commit };
}

/** Asks for the images of a release. */
export interface FindImages {
  readonly repository: string;
  /** Oid of the tree of the release. */
  readonly tree: string;
  /** Digest of the contracts. */
  readonly contracts: string;
  readonly environment: string;
  readonly services: readonly string[];
  /** Outputs of jobs of a run that goes on, by job. @default none: those in the ledger */
  readonly outputs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The images to deploy by service and name, as jobs handed them over in runs on this tree that passed. Throws
 * `InvalidInput` that names the job and the output which are missing.
 */
export async function findImages(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { repository, tree, contracts, environment: name, services, outputs: given }: FindImages,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const { environments } = await readContracts(blobs, contracts, repository);
  const environment = environments.find((each) => each.name === name);
  const wanted = services.flatMap((service) =>
    Object.entries(environment?.services[service]?.images ?? {}).map(([image, { job, output }]) => ({
      service,
      image,
      job,
      output,
    })),
  );
  if (wanted.length === 0) return {};
  const jobs =
    given === undefined
      ? await passedJobs(ledger, { repository, tree, jobs: [...new Set(wanted.map(({ job }) => job))] })
      : Object.entries(given).map(([job, outputs]) => ({ job, outputs }));
  const found: Record<string, Record<string, string>> = {};
  for (const { service, image, job, output } of wanted) {
    const value = jobs
      .filter((each) => each.job === job)
      .map(({ outputs }) => outputs[output])
      .find((each) => typeof each === 'string');
    if (typeof value !== 'string') {
      throw new LonghaulError(
        'InvalidInput',
        `The image ${image} of ${service} is not known: no run on the released tree has a job ${job} that passed with the output ${output}.`,
      );
    }
    found[service] = { ...found[service], [image]: value };
  }
  return found;
}

/** Jobs with outputs that passed in runs on a tree that passed, the latest first. */
function passedJobs(
  ledger: LedgerDatabase,
  { repository, tree, jobs }: { readonly repository: string; readonly tree: string; readonly jobs: readonly string[] },
) {
  return ledger
    .selectFrom('pipeline_jobs as j')
    .innerJoin('pipeline_runs as r', 'r.pipeline_run_id', 'j.pipeline_run_id')
    .select(['j.job', 'j.outputs'])
    .where('r.repository', '=', repository)
    .where('r.tree', '=', tree)
    .where('r.status', '=', 'pass')
    .where('j.status', '=', 'pass')
    .where('j.job', 'in', jobs)
    .orderBy('r.completed_at', 'desc')
    .execute();
}

/** The promoted releases of a repository. */
export async function promotedReleases(ledger: LedgerDatabase, repository: string): Promise<readonly ReleasedCommit[]> {
  const rows = await ledger
    .selectFrom('generations')
    .select(['version', 'commit'])
    .where('repository', '=', repository)
    .where('status', '=', 'promoted')
    .execute();
  return rows.flatMap(({ version, commit }) => (commit === null ? [] : [{ version, commit }]));
}
