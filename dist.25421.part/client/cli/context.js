import { loadConfig } from '../../activities/config.js';
/** The context of this process. Throws `InvalidConfiguration`. */
export function openContext(options) {
    const env = options.data === undefined ? process.env : { ...process.env, LONGHAUL_DATA_DIR: options.data };
    const { config, path, dataDir, cacheDir } = loadConfig({ path: options.config, env });
    return { config, configPath: path, dataDir, cacheDir, env, stdout: process.stdout, stderr: process.stderr };
}
//# sourceMappingURL=context.js.map