import { catalogRoles } from '../activities/catalog/roles.ts';
import type { WingRole } from '../activities/shared/wing-role.ts';

/** What each wing does in which role. A wing adds one line here, and nothing else in `workers/`. */
export const WING_ROLES: readonly WingRole[] = [...catalogRoles];

// the metrics of a process have gauges for each sync group
export { groupOfSchedule } from '../activities/catalog/groups/schedules.ts';
