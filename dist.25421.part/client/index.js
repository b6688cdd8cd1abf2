export { FLOWS_QUEUE, startFlow } from './flows.js';
export { openSearch } from './search.js';
export { openContext } from './cli/context.js';
export { FAILURES, LonghaulError } from '../domain/failures.js';
//# sourceMappingURL=index.js.map