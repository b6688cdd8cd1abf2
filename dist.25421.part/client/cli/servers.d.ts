import type { Client } from '@temporalio/client';
import type { WeaviateAddress } from '../../activities/index/weaviate.ts';
import type { LoadedConfig } from '../../activities/config.ts';
import type { CliContext } from './context.ts';
/** A client of the Temporal server that the environment, `longhaul.yaml` or the running stack names. */
export interface TemporalSession {
    readonly client: Client;
    /** Address of the web interface, when it is known. */
    readonly uiUrl: string | null;
    close(): Promise<void>;
}
/** Connects to Temporal. Throws `ServerUnavailable`. */
export declare function connectTemporal(context: CliContext): Promise<TemporalSession>;
/** Where Weaviate is: the environment, `longhaul.yaml`, or the running stack. Throws `ServerUnavailable`. */
export declare function weaviateAddress(context: CliContext): Promise<WeaviateAddress>;
/** The folder of the embedding model, fetched when it is nowhere yet. */
export declare function modelFolder(context: CliContext): Promise<string>;
/** The configuration as the activities take it. */
export declare function loadedConfig({ config, configPath, dataDir, cacheDir }: CliContext): LoadedConfig;
