export { applyPlan } from './apply-plan.ts';
export { repairWorkspace } from './repair-workspace.ts';
export { teardownWorkspace } from './teardown-workspace.ts';
