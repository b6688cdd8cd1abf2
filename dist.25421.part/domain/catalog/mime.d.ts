/** The media type that a path's extension stands for; otherwise plain text or unknown bytes, as `isText` says. */
export declare function mimeType(path: string, isText: boolean): string;
