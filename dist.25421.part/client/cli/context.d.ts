import type { Config } from '../../domain/config.schema.ts';
/** What every command knows: the configuration, its folders, and where to write. */
export interface CliContext {
    readonly config: Config;
    /** Absolute path of `longhaul.yaml`; null when there is none. */
    readonly configPath: string | null;
    readonly dataDir: string;
    readonly cacheDir: string;
    readonly env: NodeJS.ProcessEnv;
    readonly stdout: NodeJS.WriteStream;
    readonly stderr: NodeJS.WriteStream;
}
/** The context of this process. Throws `InvalidConfiguration`. */
export declare function openContext(options: {
    config?: string | undefined;
    data?: string | undefined;
}): CliContext;
