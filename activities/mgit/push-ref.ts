import { isBranchName } from '../../domain/git/branch.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { complaintOf, type Git, type GitOptions } from '../git/git.ts';
import { remoteConfig } from './resolve-remote.ts';
import type { Access } from './source.ts';

/** What a push needs. */
export interface PushTools {
  readonly git: Git;
  readonly cacheDir: string;
}

/** A remote, and the objects that git may push to it. */
export interface PushPlace {
  readonly git: Git;
  readonly access: Access;
  /** The objects, and the address with credentials. */
  readonly options: GitOptions;
}

/** A ref that a remote is to have. */
export interface WantedRef {
  /** `refs/tags/v1.5.0` */
  readonly ref: string;
  readonly object: string;
  /** What messages call it: `the tag v1.5.0`. */
  readonly called: string;
}

/** A remote, for what needs no objects of its own. */
export async function pushPlace(git: Git, access: Access, objects: Partial<GitOptions> = {}): Promise<PushPlace> {
  const { id: about, signal } = access;
  // the remote may have the commits before ours on a branch that the mirror has not fetched
  const config = [...(await remoteConfig(access)), ['push.negotiate', 'true'] as const];
  return { git, access, options: { ...objects, about, signal, config } };
}

/** The object that a ref of the remote names; null when it has none. */
export async function refAt({ git, access, options }: PushPlace, ref: string): Promise<string | null> {
  const printed = await access.turn(() => git.run(['ls-remote', 'origin', ref], options));
  const found = printed.toString('latin1').split('\n');
  return found.map((line) => line.split('\t')).find(([, name]) => name === ref)?.[0] ?? null;
}

/**
 * Pushes a ref that the remote does not have. Returns false when it has it already. When it has another object there,
 * `onOther` decides, usually by throwing. Throws `PushRefused` when the remote does not take it.
 */
export async function pushNewRef(
  place: PushPlace,
  wanted: WantedRef,
  onOther: (found: string) => void | Promise<void>,
): Promise<boolean> {
  const { ref, object } = wanted;
  const isThere = async (): Promise<boolean> => {
    const found = await refAt(place, ref);
    if (found !== null && found !== object) await onOther(found);
    return found !== null;
  };
  if (await isThere()) return false;
  // the remote must still have none: another process may have pushed it since
  await push(place, wanted, [`--force-with-lease=${ref}:`, 'origin', `${object}:${ref}`], isThere);
  return true;
}

/** What became of a ref that was to be removed: it is gone, it was not there, or it names another object and stays. */
export type Removal = 'removed' | 'absent' | 'differs';

/** Removes a ref from the remote if it names this very object. Throws `PushRefused` when the remote refuses. */
export async function removeRef(place: PushPlace, wanted: WantedRef): Promise<Removal> {
  const { ref, object } = wanted;
  const found = await refAt(place, ref);
  if (found === null) return 'absent';
  if (found !== object) return 'differs';
  let now: string | null = null;
  await push(place, wanted, [`--force-with-lease=${ref}:${object}`, 'origin', `:${ref}`], async () => {
    now = await refAt(place, ref);
    return now !== object;
  });
  return now === null ? 'removed' : 'differs';
}

/** Throws `InvalidInput` for a name that git does not allow, or that could be read as something else. */
export function checkRefName(name: string): void {
  if (isBranchName(name)) return;
  throw new LonghaulError('InvalidInput', `"${name.slice(0, 200)}" cannot be the name of a branch or tag.`);
}

/** The failure of a push that the remote does not take. */
export function pushRefusal({ called }: WantedRef, { id }: Access, why: string, cause?: unknown): LonghaulError {
  return new LonghaulError('PushRefused', `${id} does not take ${called}: ${why}.`, { cause });
}

/** Pushes. When git fails, `isDone` finds out whether only the answer was lost. */
async function push(
  { git, access, options }: PushPlace,
  wanted: WantedRef,
  args: readonly string[],
  isDone: () => Promise<boolean>,
): Promise<void> {
  try {
    await access.turn(() => git.run(['push', '--quiet', ...args], options));
  } catch (error) {
    access.signal?.throwIfAborted();
    if (await isDone()) return;
    // the same credentials have just read the remote
    if (error instanceof LonghaulError && error.type === 'AuthenticationFailed') {
      const message = `${access.id} does not let this token push ${wanted.called}: it needs the right to write contents.`;
      throw new LonghaulError('PermissionMissing', message, { cause: error });
    }
    const said = complaintOf(error);
    throw REJECTED.test(said) ? pushRefusal(wanted, access, said, error) : error;
  }
}

/** The remote has decided, so a repetition does not help. */
const REJECTED = /\[(?:remote )?rejected\]/;
