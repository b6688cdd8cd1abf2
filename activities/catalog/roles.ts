import type { WingRole } from '../shared/wing-role.ts';
import { createAlertActivities } from './alerts.ts';
import { scheduleWatch } from './alerts/schedule.ts';
import { createFollowActivities } from './follow.ts';

/** The roles in which the catalog has work. A process loads git, Weaviate and models only for `repos`. */
export const catalogRoles: readonly WingRole[] = [
  {
    role: 'flows',
    async open({ loaded: { config }, env, client }) {
      await scheduleWatch(client, config.index.name, config.alerts.channels.length > 0);
      return { activities: { ...createFollowActivities(), ...createAlertActivities(config, env) } };
    },
  },
  {
    role: 'repos',
    open: async (start) => (await import('./repos-role.ts')).openReposRole(start),
  },
];
