import { busy } from '../shared/failure.ts';
import type { Locked } from '../shared/lock.ts';

/**
 * The lock of a repository: one for the live build, and one for each other build. `RepositoryBusy` while another run
 * holds it.
 */
export function lockOf(id: string, build?: string): Pick<Locked<unknown>, 'workflowId' | 'busy'> {
  return { workflowId: build === undefined ? `sync/${id}` : `${buildLock(build)}/${id}`, busy: busy(id) };
}

/** Prefix of the locks of a build's repositories. */
export function buildLock(build: string): string {
  return `build/${build}`;
}
