import type { WingRole } from '../shared/wing-role.ts';

/** The part of gates and acts in the role `ledger`, for the flows of every wing. */
export const gateRoles: readonly WingRole[] = [
  {
    role: 'ledger',
    async open({ loaded: { config }, places, client }) {
      const [{ openLedger }, { createGateActivities }, { createActActivities }, { cancellerOf }, { directoryOf }] =
        await Promise.all([
          import('../ledger/open-ledger.ts'),
          import('./gates.ts'),
          import('../ledger/act-activities.ts'),
          import('../ledger/canceller.ts'),
          import('../../domain/config/people.schema.ts'),
        ]);
      const url = places.ledger();
      const ledger = openLedger(url, { connections: 5 });
      const activities = {
        ...createGateActivities({ ledger, url, directory: directoryOf(config) }),
        ...createActActivities({ ledger, url, cancelledBy: (run) => cancellerOf(client, run) }),
      };
      return { activities, close: () => ledger.destroy() };
    },
  },
];
