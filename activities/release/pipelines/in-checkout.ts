import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { CommitSources } from './commit-sources.ts';

/** A commit to check out. */
interface CommitToUse {
  readonly packed: PackedCommit;
  /** The repository, for messages. */
  readonly about: string;
  /** Begins the name of the folder. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Does work in a checkout of exactly this commit, which is deleted afterwards. */
export async function inCheckout<Result>(
  { sources, sandbox }: { readonly sources: CommitSources; readonly sandbox: Sandbox },
  { packed, about, name, signal }: CommitToUse,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  // its own: an attempt that the server takes for dead may still be running
  const folder = temporaryPath(join(await realpath(sandbox.scratch), name));
  try {
    await sources.checkOut(packed, folder, { about, signal });
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
