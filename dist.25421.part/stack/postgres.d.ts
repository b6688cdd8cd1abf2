/** A PostgreSQL server that answers on loopback. */
export interface Postgres {
    readonly host: '127.0.0.1';
    readonly port: number;
    readonly user: 'longhaul';
    readonly password: string;
    readonly database: 'postgres';
    /** Stops it; its data stay. */
    stop(): Promise<void>;
}
/**
 * Starts the PostgreSQL that npm brings along, on demand: state in `<dataDir>/postgres`, a random password kept beside it.
 * Run by root, it works as the system user `postgres`, which is created when it is missing and which must be able to enter
 * `dataDir`. `port` 0 takes a free one. Throws {@link StackError} when it does not start.
 */
export declare function startPostgres(options: {
    dataDir: string;
    port: number;
    env: NodeJS.ProcessEnv;
    signal?: AbortSignal | undefined;
}): Promise<Postgres>;
