import { type AttributeRule } from '../../domain/catalog/attributes.ts';
import type { ObjectReader } from './cat-file.ts';
/** The rules of every `.gitattributes` file that matters, by the path of its folder; the root is the empty text. */
export type TreeAttributes = ReadonlyMap<string, readonly AttributeRule[]>;
/** True for a path whose file changes what is said of other files. */
export declare function isAttributesFile(path: string): boolean;
/** Finds the `.gitattributes` files above these paths, folder by folder, and gives their object names by folder. */
export declare function findAttributes(reader: ObjectReader, tree: string, paths: Iterable<string>): Promise<ReadonlyMap<string, string>>;
/** Reads the files that {@link findAttributes} found. They must be in the store. */
export declare function readAttributes(reader: ObjectReader, found: ReadonlyMap<string, string>): Promise<TreeAttributes>;
