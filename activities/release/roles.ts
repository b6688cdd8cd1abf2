import type { WingRole } from '../shared/wing-role.ts';

/** The release train's part in each role. */
export const releaseRoles: readonly WingRole[] = [
  {
    role: 'repos',
    open: async (start) => (await import('./commits-role.ts')).openCommitsRole(start),
  },
  {
    role: 'ledger',
    open: async (start) => (await import('./ledger-role.ts')).openLedgerRole(start),
  },
  {
    role: 'pipelines',
    open: async (start) => (await import('./pipelines-role.ts')).openPipelinesRole(start),
  },
  {
    role: 'deploy',
    open: async (start) => (await import('./deploy-role.ts')).openDeployRole(start),
  },
];
