/** A file to analyze. */
export interface SourceFile {
  /** Path inside its repository. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Its language as its repository declares it; unknown names are ignored. @default by its name and content */
  readonly language?: string | undefined;
}

/** A chunk of a file as the index holds it. */
export interface AnalyzedChunk {
  /** 1-based. */
  readonly startLine: number;
  /** 1-based, inclusive. */
  readonly endLine: number;
  readonly text: string;
  /** Names that it defines. */
  readonly symbols: string[];
  /** Names that it only declares, extends or exports again. */
  readonly declares: string[];
  /** Names of the enclosing definitions, outermost first. */
  readonly scope: string[];
  /** Search terms of the text, separated by spaces. */
  readonly stems: string;
  /** Search terms of scope and symbols, separated by spaces. */
  readonly scopeStems: string;
  /** Of length 1; computed from everything except the path. */
  readonly vector: Float32Array;
}

/** A file as the index holds it. */
export interface AnalyzedFile {
  /** Linguist's name of the language; null when unknown to linguist. */
  readonly language: string | null;
  /** In order; a chunk's ordinal is its index here. */
  readonly chunks: AnalyzedChunk[];
  /** Search terms of the path, separated by spaces. */
  readonly pathStems: string;
}

/** A failure of a grammar, tokenizer, decoder or model that was caused by one file. */
export interface FileFault {
  /** Index of the file in the list of source files. */
  readonly file: number;
  /** The message of the error. */
  readonly reason: string;
}

/** The result of an analysis. */
export interface Analysis {
  /** One for each source file, in order. */
  readonly files: AnalyzedFile[];
  /** Texts that were embedded for this result. */
  readonly embedded: number;
  /** Chunks whose vector was cached, or is that of another chunk. */
  readonly reused: number;
}
