export { promoteGeneration } from './promote-generation.ts';
export { proveChange } from './prove-change.ts';
export { runPipeline } from './run-pipeline.ts';
export { startEvolution } from './start-evolution.ts';
