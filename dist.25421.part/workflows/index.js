export { onboardRepositories } from './catalog/onboard-repositories.js';
export { removeRepositories } from './catalog/remove-repositories.js';
export { syncRepositories } from './catalog/sync-repositories.js';
export { ingestStream, removeRepository, syncRepository } from './catalog/sync-repository.js';
//# sourceMappingURL=index.js.map