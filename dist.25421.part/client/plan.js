import { openTools } from '../activities/tools.js';
import { loadedConfig, modelFolder, weaviateAddress } from './cli/servers.js';
/** What a fleet flow would do, by the same plan that the flow follows. Starts nothing, writes nothing. */
export async function planFleet(context, flow, patterns) {
    return withTools(context, ({ planner }) => {
        if (flow === 'onboardRepositories')
            return planner.onboarding(patterns ?? []);
        return flow === 'syncRepositories' ? planner.sync(patterns) : planner.removal(patterns);
    });
}
/** All receipts of the index. */
export async function readReceipts(context) {
    return withTools(context, ({ store }) => store.receipts());
}
async function withTools(context, use) {
    const [weaviate, folder] = await Promise.all([weaviateAddress(context), modelFolder(context)]);
    const tools = await openTools(loadedConfig(context), { weaviate, modelFolder: folder }, context.env);
    try {
        return await use(tools);
    }
    finally {
        await tools.close();
    }
}
//# sourceMappingURL=plan.js.map