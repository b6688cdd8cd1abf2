export { forgeBudget } from './catalog/forge-budget.ts';
export { onboardRepositories } from './catalog/onboard-repositories.ts';
export { fillBuild, pruneIndex, reembedIndex, switchIndex } from './catalog/reembed-index.ts';
export { removeRepositories } from './catalog/remove-repositories.ts';
export { syncRepositories } from './catalog/sync-repositories.ts';
export { ingestStream, removeRepository, syncRepository } from './catalog/sync-repository.ts';
export { verifyCatalog, verifyRepository } from './catalog/verify-catalog.ts';
