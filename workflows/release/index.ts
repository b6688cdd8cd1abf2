export { abandonEvolution } from './abandon-evolution.ts';
export { anchorAudit } from './anchor-audit.ts';
export { createHotfix } from './create-hotfix.ts';
export { promoteGeneration } from './promote-generation.ts';
export { proveChange } from './prove-change.ts';
export { runPipeline } from './run-pipeline.ts';
export { startEvolution } from './start-evolution.ts';
export { withdrawGeneration } from './withdraw-generation.ts';
