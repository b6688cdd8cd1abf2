import { catalogRoles } from '../activities/catalog/roles.ts';
import { forgeRoles } from '../activities/forges/roles.ts';
import { gateRoles } from '../activities/gates/roles.ts';
import { releaseRoles } from '../activities/release/roles.ts';
import { workspaceRoles } from '../activities/workspace/roles.ts';
import type { WingRole } from '../activities/shared/wing-role.ts';

/**
 * The work of each wing by role, and that of gates and forges, which every wing uses. A new wing adds its roles here, and
 * changes nothing else in `workers/`.
 */
export const WING_ROLES: readonly WingRole[] = [
  ...catalogRoles,
  ...releaseRoles,
  ...gateRoles,
  ...forgeRoles,
  ...workspaceRoles,
];

// for the gauges of each sync group
export { groupOfSchedule } from '../activities/catalog/groups/schedules.ts';
