import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './git.js';
/** A spool in this folder of the cache. */
export function createContentSpool(folder) {
    return {
        async keep(oid, content) {
            const path = join(folder, oid.slice(0, 2), oid);
            if (!existsSync(path))
                await replaceFile(path, content);
            return path;
        },
    };
}
//# sourceMappingURL=content-spool.js.map