export { applyPlan } from './apply-plan.ts';
export { prepareWorkspace } from './prepare-workspace.ts';
export { repairWorkspace } from './repair-workspace.ts';
export { teardownWorkspace } from './teardown-workspace.ts';
