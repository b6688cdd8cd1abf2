/**
 * Turns texts into vectors, by a table, a local network or a server. Equal texts under equal digests get equal vectors,
 * so vectors may be cached and compared.
 */
export interface EmbeddingModel {
  /**
   * Identifies everything that a vector depends on in addition to the text, 16 hex digits: compare only vectors under
   * one digest.
   */
  readonly digest: string;
  /** Length of every vector. */
  readonly dimensions: number;
  /** One vector of length 1 per text, in order; all zeros for a text without a known word. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /** Releases what the model holds outside JavaScript's memory. Do not use it afterwards. */
  close(): Promise<void>;
}
