/**
 * Turns texts into vectors. Whatever stands behind it (a table, a network on this machine, a server), equal texts under equal
 * digests get equal vectors, so they may be kept and compared.
 */
export interface EmbeddingModel {
  /** Names everything that a vector depends on besides the text, 16 hex digits: compare only vectors under one digest. */
  readonly digest: string;
  /** Length of every vector. */
  readonly dimensions: number;
  /** One vector of length 1 for each text, in order; of zeros for a text without a known word. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /** Gives back what the model holds outside JavaScript's memory. Not to be used afterwards. */
  close(): Promise<void>;
}
