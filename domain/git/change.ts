/** Why a file is not indexed. Counted and reported, never silent. */
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
  /** The exact bytes in base64, present only when they are not UTF-8: identity is made of these. */
  readonly pathBytes?: string;
}

/** What one side of a change is in git. */
export interface BlobRef {
  /** Blob oid; for a submodule the commit oid. */
  readonly oid: string;
  /** Git's file mode: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  readonly mode: string;
}

/** The former self of a changed file: where it was and what it was. */
export interface OldFile extends FilePath, BlobRef {
  /** Present when its path, mode or attributes alone said that it is not indexed. */
  readonly skip?: SkipReason;
  /** See {@link FileWritten.handwritten}. */
  readonly handwritten?: true;
}

/** A file of the new tree: added, changed (content, mode or type), or moved without a change of content. */
export interface FileWritten extends FilePath {
  readonly op: 'add' | 'modify' | 'rename';
  readonly blob: BlobRef;
  /** The file's former self, on `rename` under its former path; missing on `add`, and when the producer does not know. */
  readonly old?: OldFile;
  /** Size of the content in bytes. */
  readonly size: number;
  /** The content; null when {@link skip} says that nobody needs it. */
  readonly content: Uint8Array | null;
  /** Present when the file must not be indexed. */
  readonly skip?: SkipReason;
  /** Declared not to be generated (`.gitattributes`: `-linguist-generated`), whatever its content looks like. */
  readonly handwritten?: true;
}

/** A file that the new tree does not have. */
export interface FileDeleted extends FilePath {
  readonly op: 'delete';
  /** What it was; missing when the producer does not know. */
  readonly old?: OldFile;
}

/** One step of the way from one tree to another. */
export type Change = FileWritten | FileDeleted;

/** Why a differential starts from nothing instead of from the receipt. */
export type FullReason = 'first-sync' | 'receipt-tree-gone' | 'attributes-changed' | 'interrupted-run';
