import { type Config } from '../domain/config.schema.ts';
/** The configuration, where it came from, and the folders that it leads to. */
export interface LoadedConfig {
    readonly config: Config;
    /** Absolute path of the file; null when there is none and the defaults hold. */
    readonly path: string | null;
    /** Where state lives that must survive: the embedded servers' data and logs. */
    readonly dataDir: string;
    /** Where everything lives that can be made again. */
    readonly cacheDir: string;
}
/**
 * Reads `longhaul.yaml`: the path that is given, else `LONGHAUL_CONFIG`, else `longhaul.yaml` in the current folder, else
 * none. `LONGHAUL_DATA_DIR` and `LONGHAUL_CACHE_DIR` win over the file. Throws `InvalidConfiguration` naming file, line
 * and key; an unknown key is answered with the nearest known one.
 */
export declare function loadConfig(options: {
    path?: string | undefined;
    env: NodeJS.ProcessEnv;
}): LoadedConfig;
/** Replaces a leading `~` by the home folder and resolves against `base`. */
export declare function expandPath(path: string, base: string): string;
