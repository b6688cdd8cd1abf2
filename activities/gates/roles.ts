import type { WingRole } from '../shared/wing-role.ts';

/** The part of gates in the role `ledger`, for the flows of every wing. */
export const gateRoles: readonly WingRole[] = [
  {
    role: 'ledger',
    async open({ loaded: { config }, places }) {
      const [{ openLedger }, { createGateActivities }, { directoryOf }] = await Promise.all([
        import('../ledger/open-ledger.ts'),
        import('./gates.ts'),
        import('../../domain/config/people.schema.ts'),
      ]);
      const url = places.ledger();
      const ledger = openLedger(url, { connections: 5 });
      const activities = createGateActivities({ ledger, url, directory: directoryOf(config) });
      return { activities, close: () => ledger.destroy() };
    },
  },
];
