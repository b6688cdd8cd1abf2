import { busy } from '../shared/failure.ts';
import type { Locked } from '../shared/lock.ts';

/** The lock of a repository: one for the live build, one for each build beside it. `RepositoryBusy` while somebody else holds it. */
export function lockOf(id: string, build?: string): Pick<Locked<unknown>, 'workflowId' | 'busy'> {
  return { workflowId: build === undefined ? `sync/${id}` : `${buildLock(build)}/${id}`, busy: busy(id) };
}

/** What the locks of the repositories of a build begin with. */
export function buildLock(build: string): string {
  return `build/${build}`;
}
