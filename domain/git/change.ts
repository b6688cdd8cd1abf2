/** Why a file is not indexed. Every skipped file is counted and reported. */
export type SkipReason =
  | 'vendored'
  | 'generated'
  | 'minified'
  | 'binary'
  | 'too-large'
  | 'lfs-pointer'
  | 'symlink'
  | 'submodule'
  | 'empty';

/** A file's path. Git paths are bytes; almost all are UTF-8. */
export interface FilePath {
  /** The path as text. Bytes that are not UTF-8 are shown as `\xHH`. */
  readonly path: string;
  /** The exact bytes in base64, present only when they are not UTF-8; then the identity is derived from them. */
  readonly pathBytes?: string;
}

/** One side of a change in git. */
export interface BlobRef {
  /** Blob oid; for a submodule the commit oid. */
  readonly oid: string;
  /** Git's file mode: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  readonly mode: string;
}

/** A file before its change: path and content. */
export interface OldFile extends FilePath, BlobRef {
  /** Present when path, mode or attributes already excluded it from the index. */
  readonly skip?: SkipReason;
  /** See {@link FileWritten.handwritten}. */
  readonly handwritten?: true;
  /** See {@link FileWritten.language}. */
  readonly language?: string;
}

/** A file of the new tree: added, changed (content, mode or type), or moved without a change of content. */
export interface FileWritten extends FilePath {
  readonly op: 'add' | 'modify' | 'rename';
  readonly blob: BlobRef;
  /**
   * The file before the change, on `rename` with its former path; missing on `add`, and when the producer does not know
   * it.
   */
  readonly old?: OldFile;
  /** Size of the content in bytes. */
  readonly size: number;
  /** The content; null when {@link skip} is set and it is not needed. */
  readonly content: Uint8Array | null;
  /** Present when the file must not be indexed. */
  readonly skip?: SkipReason;
  /** Declared as not generated (`.gitattributes`: `-linguist-generated`), regardless of its content. */
  readonly handwritten?: true;
  /** Its language as declared (`.gitattributes`: `linguist-language`), a name or alias of linguist's. */
  readonly language?: string;
}

/** A file that is not in the new tree. */
export interface FileDeleted extends FilePath {
  readonly op: 'delete';
  /** The file before the deletion; missing when the producer does not know it. */
  readonly old?: OldFile;
}

/** One step from one tree to another. */
export type Change = FileWritten | FileDeleted;

/** Why a differential starts from nothing instead of the receipt. */
export type FullReason = 'first-sync' | 'receipt-tree-gone' | 'attributes-changed' | 'interrupted-run';
