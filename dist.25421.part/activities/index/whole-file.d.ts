/** Writes a file so that it is there whole or not at all, even when the machine stops in the middle. */
export declare function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void>;
