import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
/** `longhaul worker`: the worker process, with our signals passed on. Gives its exit code. */
export async function runWorker(options, roles) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const main = fileURLToPath(new URL(`../../workers/main.${extension}`, import.meta.url));
    const env = {
        ...process.env,
        ...(options.config === undefined ? {} : { LONGHAUL_CONFIG: options.config }),
        ...(options.data === undefined ? {} : { LONGHAUL_DATA_DIR: options.data }),
    };
    const child = spawn(process.execPath, [main, '--roles', roles], { env, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'])
        process.on(signal, () => child.kill(signal));
    const [code] = (await once(child, 'exit'));
    return code ?? 1;
}
//# sourceMappingURL=worker.js.map