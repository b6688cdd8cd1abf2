import type { NativeConnectionOptions } from '@temporalio/worker';
/** Where an existing Temporal server may be named, besides the environment and `temporal.toml`. */
export interface TemporalChoice {
    /** A profile of `temporal.toml`. */
    readonly profile?: string | undefined;
    readonly address?: string | undefined;
    readonly namespace?: string | undefined;
}
/** How to reach a Temporal server, TLS and API key included; for a client's and a worker's connection alike. */
export interface TemporalTarget {
    readonly connectionOptions: NativeConnectionOptions & {
        readonly address: string;
    };
    readonly namespace: string;
}
/**
 * The user's own Temporal server: by the environment (`TEMPORAL_ADDRESS`, …), a profile of `temporal.toml`, or
 * `longhaul.yaml`; null when none of them names an address. Throws {@link StackError} when the profile cannot be read.
 */
export declare function yourTemporal(choice: TemporalChoice, env: NodeJS.ProcessEnv): Promise<TemporalTarget | null>;
