import type { WingRole } from '../shared/wing-role.ts';

/** The part of workspaces in each role. */
export const workspaceRoles: readonly WingRole[] = [
  {
    role: 'host',
    open: async (start, role) => (await import('./host-role.ts')).openHostRole(start, role),
  },
  {
    role: 'ledger',
    async open({ places }) {
      const [{ openLedger }, { createWorkspaceRecords }] = await Promise.all([
        import('../ledger/open-ledger.ts'),
        import('./workspace-records.ts'),
      ]);
      const url = places.ledger();
      const ledger = openLedger(url, { connections: 2 });
      return { activities: createWorkspaceRecords({ ledger, url }), close: () => ledger.destroy() };
    },
  },
];
