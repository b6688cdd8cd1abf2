import type { WingRole } from '../shared/wing-role.ts';

/** The release train's part in each role. */
export const releaseRoles: readonly WingRole[] = [
  {
    role: 'pipelines',
    open: async (start) => (await import('./pipelines-role.ts')).openPipelinesRole(start),
  },
];
