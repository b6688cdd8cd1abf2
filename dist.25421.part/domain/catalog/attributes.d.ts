/** What a repository's `.gitattributes` say of a file; undefined where they say nothing. */
export interface Declared {
    /** `linguist-vendored` */
    readonly vendored?: boolean;
    /** `linguist-generated` */
    readonly generated?: boolean;
    /** git's macro `binary` */
    readonly binary?: boolean;
}
/** One line of a `.gitattributes` file, reduced to what Longhaul asks for. */
export interface AttributeRule {
    readonly pattern: AttributePattern;
    /** Undefined takes back what an earlier rule said (`!attribute`). */
    readonly declares: {
        readonly [Name in keyof Declared]: boolean | undefined;
    };
}
/** A compiled pattern of a `.gitattributes` line. */
export interface AttributePattern {
    /** True for a pattern with a slash, which is compared with the whole path below the file's folder; else with the name. */
    readonly anchored: boolean;
    readonly tokens: readonly Token[];
}
type Token = {
    readonly kind: 'character';
    readonly character: string;
} | {
    readonly kind: 'one';
} | {
    readonly kind: 'set';
    readonly negated: boolean;
    readonly ranges: readonly (readonly [string, string])[];
}
/** Any characters but a slash. */
 | {
    readonly kind: 'star';
}
/** Any number of whole folders, with the slash after them. */
 | {
    readonly kind: 'folders';
}
/** Everything below. */
 | {
    readonly kind: 'rest';
};
/**
 * Reads one `.gitattributes` file as gitattributes(5) says; lines that git would not accept are passed over, as git does.
 * Rules that say nothing of {@link Declared} are left out. Macros (`[attr]name …`) count in the file that defines them.
 */
export declare function parseAttributes(text: string): readonly AttributeRule[];
/** What the files at `folders` say of `path`: later lines win over earlier ones, deeper files over those above. */
export declare function declaredFor(path: string, files: ReadonlyMap<string, readonly AttributeRule[]>): Declared;
/** The folders that a path lies in, outermost first, beginning with the root, which is the empty text. */
export declare function foldersOf(path: string): readonly string[];
/** True when a pattern of the `.gitattributes` in a folder means the file at `path` below that folder. */
export declare function matchesAttributePattern(pattern: AttributePattern, path: string): boolean;
export {};
