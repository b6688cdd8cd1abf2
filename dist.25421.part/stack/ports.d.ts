/** A port that the stack needs. */
export interface PortNeed {
    readonly name: string;
    /** The port that the user wants; 0 for a free one. */
    readonly wanted: number;
    /** The configuration key that `wanted` comes from, for the message. */
    readonly key?: string;
    /** True when the server binds it on every interface and not only on loopback. */
    readonly everywhere?: boolean;
    /** Another port, which must be the next number. */
    readonly next?: {
        readonly name: string;
        readonly everywhere?: boolean;
    };
}
/**
 * A port for every need: the wanted one, else the remembered one while it is free, else a free one.
 * Throws {@link StackError} when a wanted port is taken.
 */
export declare function choosePorts(needs: readonly PortNeed[], remembered: Readonly<Record<string, number>>): Promise<Record<string, number>>;
/** True when a server could listen on this port now, on loopback or, with `everywhere`, on every interface. */
export declare function isFree(port: number, everywhere?: boolean): Promise<boolean>;
/**
 * Keeps a port on every interface busy, so that no server can listen there; who connects is sent away. Returns the function
 * that gives it free. Throws {@link StackError} when it is taken.
 */
export declare function occupyPort(port: number): Promise<() => Promise<void>>;
