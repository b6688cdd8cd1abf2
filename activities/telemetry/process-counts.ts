/**
 * What this process has done since it began. Plain numbers, because the command line does the same work and shows no metrics.
 */
export const processCounts = {
  /** Texts that a model was asked for, and texts whose vector was known. */
  textsEmbedded: 0,
  embeddingsReused: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  /** Batches of files that wait for their turn to be analysed and written. */
  batchesWaiting: 0,
};
