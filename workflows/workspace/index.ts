export { applyPlan } from './apply-plan.ts';
export { teardownWorkspace } from './teardown-workspace.ts';
