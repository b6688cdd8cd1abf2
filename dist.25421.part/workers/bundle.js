import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
/** The workflow code: the bundle that the build made, or one made now from the sources. */
export async function workflowBundle() {
    const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
    if (existsSync(built))
        return { codePath: built };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    return bundleWorkflowCode({
        workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
        logger: new DefaultLogger('WARN'),
    });
}
//# sourceMappingURL=bundle.js.map