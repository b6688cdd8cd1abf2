import type { OnProgress } from './progress.ts';
import type { TemporalChoice } from './temporal-connection.ts';
import type { WeaviateChoice } from './weaviate-connection.ts';

/** A part of the stack. */
export type Need = 'temporal' | 'weaviate' | 'postgres' | 'model';

/** What to start, and the folders to use. */
export interface StackOptions {
  /** State of the embedded servers. One stack at a time runs on a data folder. */
  readonly dataDir: string;
  /** Fetched servers and models. */
  readonly cacheDir: string;
  /** The addresses of the user's own servers, and PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** Ports on 127.0.0.1; 0 or omitted: a free one, reused at every start while it is free. */
  readonly ports?: {
    readonly temporal?: number;
    readonly temporalUi?: number;
    readonly weaviate?: number;
    readonly postgres?: number;
  };
  /** An existing Temporal server, or options of the embedded one. @default the embedded one */
  readonly temporal?: TemporalChoice;
  /** An existing Weaviate, or options of the embedded one. @default the embedded one */
  readonly weaviate?: WeaviateChoice;
  /** Folder of a model to use instead of the packaged one; `LONGHAUL_MODEL_DIR` wins over it. */
  readonly modelPath?: string | undefined;
  /** Default: everything. */
  readonly needs?: readonly Need[];
  /** Receives messages about the start. @default none are given */
  readonly onProgress?: OnProgress;
  /** Aborts the start: everything that was started is stopped, and the start rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Log level of the embedded Temporal server; default `warn`. */
  readonly temporalLogLevel?: string;
  /** More arguments for the embedded Temporal server. */
  readonly temporalExtraArgs?: readonly string[];
}
