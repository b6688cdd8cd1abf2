import type { FilePath } from '../../domain/catalog/change.ts';
/** A path as git gave it: text, and the exact bytes where they are no text. */
export declare function filePath(bytes: Buffer): FilePath;
