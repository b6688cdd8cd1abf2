import type { LonghaulError } from '../../shared/failures.ts';
import { addressOf, type CatalogPlan, type PlannedRepository } from '../flows/fleet.ts';
import type { RepositoryFailure } from '../../fleet/failure.ts';
import { headReceipts, refsOfRepository } from './refs.ts';
import { type Holding, NO_OBJECTS, type Receipt } from './receipt.ts';
import { DEFAULT_REF } from '../../git/snapshot.ts';
import type { Head } from '../../git/head.ts';
import { providerOf, type RepositoryAddress, type Whereabouts } from '../../git/repository.ts';

/** Prefix of the clone URL of a repository that was only ingested as a change stream. */
export const STREAM_URL = 'stream:';

/** True when the index holds this repository completely, under the current chunker and model. */
export function isIndexed(receipt: Receipt | undefined, digest: string): boolean {
  return receipt !== undefined && receipt.commit !== '' && receipt.pending === null && receipt.digest === digest;
}

/** Repositories by current id, each with its former ids in the index. */
export type Moves = ReadonlyMap<string, { readonly to: RepositoryAddress; readonly formerly: readonly string[] }>;

/**
 * HEAD receipts of repositories that were found under another id: matched by {@link Repository.uid}, within one
 * provider.
 */
export function possibleMoves(found: readonly RepositoryAddress[], receipts: readonly Receipt[]): Receipt[] {
  const present = new Map(
    found.flatMap(({ id, uid }) => (uid === undefined ? [] : [[`${providerOf(id)} ${uid}`, id]])),
  );
  return headReceipts(receipts).filter(({ repository, uid }) => {
    const id = uid === undefined ? undefined : present.get(`${providerOf(repository)} ${uid}`);
    return id !== undefined && id !== repository;
  });
}

/** The moves, according to the providers of the receipts' repositories. */
export function movesOf(where: ReadonlyMap<string, Whereabouts | LonghaulError>): Moves {
  const moves = new Map<string, { to: RepositoryAddress; formerly: string[] }>();
  for (const [id, place] of where) {
    if (place instanceof Error || place.state !== 'moved') continue;
    const to = addressOf(place.repository);
    moves.set(to.id, { to, formerly: [...(moves.get(to.id)?.formerly ?? []), id] });
  }
  return moves;
}

/**
 * Initial onboarding: every found repository that is not completely indexed, or is still indexed under a former name.
 */
export function planOnboarding(
  found: readonly RepositoryAddress[],
  receipts: ReadonlyMap<string, Receipt>,
  digest: string,
  moves: Moves = new Map(),
): CatalogPlan {
  const isDone = ({ id }: RepositoryAddress): boolean => isIndexed(receipts.get(id), digest) && !moves.has(id);
  const work = found
    .filter((repository) => !isDone(repository))
    .map((repository) => ({ ...repository, ...formerlyOf(moves.get(repository.id)) }));
  return { matched: found.length, work: byId(work), upToDate: found.filter(isDone).map(({ id }) => id), failures: [] };
}

function formerlyOf(move: { readonly formerly: readonly string[] } | undefined): Pick<PlannedRepository, 'formerly'> {
  return move ? { formerly: move.formerly } : {};
}

/** HEAD receipts of repositories that may have been renamed: not found, or redirected to another address. */
export function possiblyRenamed(
  receipts: readonly Receipt[],
  heads: ReadonlyMap<string, Head | LonghaulError>,
): Receipt[] {
  return headReceipts(receipts).filter(({ repository }) => {
    const head = heads.get(repository);
    return head instanceof Error ? head.type === 'RepositoryNotFound' : head?.redirectedTo !== undefined;
  });
}

/**
 * Delta sync: every indexed repository with a ref whose commit differs from its receipt, a branch to add or remove, an
 * unfinished run, or a new name.
 */
export function planSync(
  receipts: readonly Receipt[],
  heads: ReadonlyMap<string, Head | LonghaulError>,
  digest: string,
  moves: Moves = new Map(),
): CatalogPlan {
  const work: PlannedRepository[] = [...moves.values()].map(({ to, formerly }) => ({ ...to, formerly }));
  const moved = new Set([...moves].flatMap(([id, { formerly }]) => [id, ...formerly]));
  const upToDate: string[] = [];
  const failures: RepositoryFailure[] = [];
  const ofHeads = headReceipts(receipts);
  const ofBranches = Map.groupBy(
    receipts.filter(({ ref }) => ref !== DEFAULT_REF),
    ({ repository }) => repository,
  );
  for (const receipt of ofHeads) {
    const { repository: id, cloneUrl } = receipt;
    const head = heads.get(id);
    if (moved.has(id)) continue;
    if (isBeingRemoved(receipt)) {
      upToDate.push(id);
    } else if (cloneUrl.startsWith(STREAM_URL)) {
      // only its producer knows the current commit
      if (isIndexed(receipt, digest)) upToDate.push(id);
      else
        failures.push({
          repository: id,
          type: 'IndexIncomplete',
          error: `${id} came as a change stream: ingest it again.`,
          ...writtenAt(receipt),
        });
    } else if (head === undefined || head instanceof Error) {
      failures.push({
        repository: id,
        type: head?.type ?? 'GitFailed',
        error: head?.message ?? `mgit did not report HEAD of ${id}.`,
        ...writtenAt(receipt),
      });
    } else if (
      isIndexed(receipt, digest) &&
      receipt.tree !== '' &&
      receipt.commit === head.commit &&
      receipt.branch === head.branch &&
      // another repository may be at the same address, with the same commits
      (head.uid === undefined || head.uid === receipt.uid) &&
      areBranchesThere(receipt, ofBranches.get(id) ?? [], head.branches ?? new Map(), digest)
    ) {
      upToDate.push(id);
    } else {
      const uid = head.uid === undefined ? {} : { uid: head.uid };
      work.push({ ...addressOfReceipt(receipt), ...uid, ...writtenAt(receipt) });
    }
  }
  // a moved repository counts once, however many names the index has it under
  return { matched: work.length + upToDate.length + failures.length, work: byId(work), upToDate, failures };
}

/** True when exactly these branches (commits by ref) are indexed, at these commits. */
function areBranchesThere(
  { branches: listed = [] }: Receipt,
  receipts: readonly Receipt[],
  expected: ReadonlyMap<string, string>,
  digest: string,
): boolean {
  return (
    [listed, receipts].every(({ length }) => length === expected.size) &&
    listed.every((ref) => expected.has(ref)) &&
    receipts.every((receipt) => isIndexed(receipt, digest) && receipt.commit === expected.get(receipt.ref))
  );
}

/** The objects of an index, by repository and ref. */
export type Holdings = ReadonlyMap<string, ReadonlyMap<string, Holding>>;

/**
 * Verification: with `full` every repository; without it those whose receipts differ in number or XOR from the objects
 * in Weaviate, that a run left unfinished, that have objects of another ref, or that moved. Includes `withoutReceipt`,
 * ids that have objects but no receipt.
 */
export function planVerification(
  receipts: readonly Receipt[],
  withoutReceipt: readonly string[],
  known: {
    readonly held: Holdings;
    readonly where: ReadonlyMap<string, Whereabouts | LonghaulError>;
    readonly digest: string;
    readonly full: boolean;
  },
): CatalogPlan {
  const { held, where, digest, full } = known;
  const isReceiptTrue = (receipt: Receipt): boolean => {
    const { objects, xor } = held.get(receipt.repository)?.get(receipt.ref) ?? { objects: 0, xor: NO_OBJECTS };
    return isIndexed(receipt, digest) && receipt.objects === objects && receipt.xor === xor;
  };
  const isTrue = (id: string, own: readonly Receipt[]): boolean => {
    const place = where.get(id);
    // an unreachable provider is no evidence against the index
    const isThere = place === undefined || place instanceof Error || place.state === 'there';
    const refs = new Set(own.map(({ ref }) => ref));
    const listed = refsOfRepository(own.find(({ ref }) => ref === DEFAULT_REF));
    const hasReceipts = [...(held.get(id)?.keys() ?? []), ...listed].every((ref) => refs.has(ref));
    return isThere && hasReceipts && refs.size === listed.length && own.every(isReceiptTrue);
  };
  const byRepository = [...Map.groupBy(receipts, ({ repository }) => repository)];
  const work = byRepository.filter(([id, own]) => full || !isTrue(id, own));
  const listed = new Set(work.map(([id]) => id));
  const addresses = work.flatMap(([, [receipt]]) => (receipt ? [addressOfReceipt(receipt)] : []));
  return {
    matched: byRepository.length + withoutReceipt.length,
    work: byId([...addresses, ...withoutReceipt.map((id) => ({ id, cloneUrl: '' }))]),
    upToDate: byRepository.flatMap(([id]) => (listed.has(id) ? [] : [id])),
    failures: [],
  };
}

/** True for the receipt that a removal keeps until its last step. */
export function isBeingRemoved({ commit, pending }: Receipt): boolean {
  return commit === '' && pending === null;
}

/** The address that the repository of a receipt is fetched from. */
export function addressOfReceipt({ repository, cloneUrl, uid }: Receipt): RepositoryAddress {
  return { id: repository, cloneUrl, ...(uid === undefined ? {} : { uid }) };
}

/** Merges several plans, each repository once: the earliest plan wins. */
export function joinPlans(plans: readonly CatalogPlan[]): CatalogPlan {
  const work = new Map<string, PlannedRepository>();
  const upToDate = new Set<string>();
  const failures = new Map<string, RepositoryFailure>();
  for (const plan of plans) {
    for (const repository of plan.work) if (!work.has(repository.id)) work.set(repository.id, repository);
    for (const id of plan.upToDate) upToDate.add(id);
    for (const failure of plan.failures) failures.set(failure.repository, failure);
  }
  // a former name is handled together with the present one
  const former = new Set([...work.values()].flatMap(({ formerly = [] }) => formerly));
  for (const id of former) failures.delete(id);
  for (const id of [...work.keys(), ...failures.keys()]) upToDate.delete(id);
  for (const id of failures.keys()) work.delete(id);
  return {
    matched: work.size + upToDate.size + failures.size,
    work: byId([...work.values()]),
    upToDate: [...upToDate].sort(),
    failures: [...failures.values()],
  };
}

/** When the receipt was written, if it is for a commit. */
function writtenAt({ commit, indexedAt }: Receipt): Pick<PlannedRepository, 'indexedAt'> {
  return commit === '' ? {} : { indexedAt };
}

function byId(repositories: readonly PlannedRepository[]): PlannedRepository[] {
  return [...repositories].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
