/** The secret kept in `file`, made at random at the first call; only the owner can read the file. */
export declare function keptSecret(file: string): string;
/** The secret kept in `file`; null when there is none. */
export declare function readSecret(file: string): string | null;
