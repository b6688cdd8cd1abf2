/**
 * The language of a file as linguist spells it, by its name, then its extension, then the interpreter that its first line asks
 * for; null when none of them says anything. Where one extension belongs to several languages, the beginning of the text
 * decides between C, C++ and Objective-C and tells XML, and otherwise the usual one is taken.
 */
export declare function languageOf(path: string, text: string): string | null;
