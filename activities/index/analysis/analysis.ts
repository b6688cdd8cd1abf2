/** A file to analyze. */
export interface SourceFile {
  /** Path inside its repository. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A piece of a file as the index holds it. */
export interface AnalyzedChunk {
  /** 1-based. */
  readonly startLine: number;
  /** 1-based, inclusive. */
  readonly endLine: number;
  readonly text: string;
  /** Names that are defined in it. */
  readonly symbols: string[];
  /** Names of the definitions around it, outermost first. */
  readonly scope: string[];
  /** Search terms of the text, separated by spaces. */
  readonly stems: string;
  /** Search terms of scope and symbols, separated by spaces. */
  readonly scopeStems: string;
  /** Of length 1; made of everything but the path. */
  readonly vector: Float32Array;
}

/** A file as the index holds it. */
export interface AnalyzedFile {
  /** As linguist spells it; null when it is none that linguist knows. */
  readonly language: string | null;
  /** In order; a chunk's ordinal is its place here. */
  readonly chunks: AnalyzedChunk[];
  /** Search terms of the path, separated by spaces. */
  readonly pathStems: string;
}

/** The answer of an analyzer. */
export interface Analysis {
  /** One for each source file, in order. */
  readonly files: AnalyzedFile[];
  /** Texts that were embedded now. */
  readonly embedded: number;
  /** Chunks whose vectors were known, or the same as that of another chunk. */
  readonly reused: number;
}
