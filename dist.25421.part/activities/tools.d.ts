import type { CatalogTools } from './catalog.ts';
import type { LoadedConfig } from './config.ts';
import { type WeaviateAddress } from './index/weaviate.ts';
import { type Mgit } from './mgit/index.ts';
/** Where the servers and the model are. */
export interface ToolPlaces {
    readonly weaviate: WeaviateAddress;
    /** Folder with `model.onnx` and `tokenizer.json`. */
    readonly modelFolder: string;
}
/** {@link CatalogTools} that hold connections and threads. */
export interface OpenTools extends CatalogTools {
    close(): Promise<void>;
}
/** mgit as the configuration describes it: needs no server. */
export declare function openMgit({ config, cacheDir }: LoadedConfig, env: NodeJS.ProcessEnv): Mgit;
/** Everything that the catalog's activities work with, connected and checked. */
export declare function openTools(loaded: LoadedConfig, places: ToolPlaces, env: NodeJS.ProcessEnv): Promise<OpenTools>;
