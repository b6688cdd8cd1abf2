import type { WingRole } from '../shared/wing-role.ts';
import { showAlerts } from '../telemetry/schedule-metrics.ts';
import { createAlertActivities } from './alerts.ts';
import { hasCheckFailed, scheduleWatch, watchScheduleId } from './alerts/schedule.ts';
import { createFollowActivities } from './follow.ts';

/** The catalog's part in each role. A process loads git, Weaviate and models only for `repos`. */
export const catalogRoles: readonly WingRole[] = [
  {
    role: 'flows',
    async open({ loaded: { config }, env, client, registry }) {
      const { index, alerts } = config;
      await scheduleWatch(client, index.name, alerts.channels.length > 0);
      showAlerts(registry, client, {
        schedule: watchScheduleId(index.name),
        channels: alerts.channels.length,
        hasFailed: () => hasCheckFailed(client, index.name),
      });
      return { activities: { ...createFollowActivities(), ...createAlertActivities(config, env) } };
    },
  },
  {
    role: 'repos',
    open: async (start) => (await import('./repos-role.ts')).openReposRole(start),
  },
];
