/** An address that git can fetch from, and the folder when it is on this machine. */
export interface Remote {
    readonly url: string;
    /** Absolute path; null for a repository elsewhere. */
    readonly path: string | null;
}
/**
 * Checks an address before git sees it: https, http, ssh or file URLs, `user@host:path`, or an absolute path. Options,
 * relative paths, `ext::` and other transports, and credentials are refused with `InvalidInput`.
 */
export declare function parseRemote(url: string): Remote;
/** The text without the credentials of any URL and any authorization header in it. */
export declare function redacted(text: string): string;
/** The URL without the name and password of a user. */
export declare function withoutCredentials(url: string): string;
