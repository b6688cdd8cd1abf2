/**
 * Counters of this process since its start. Plain numbers, because the command line does the same work without metrics.
 */
export const processCounts = {
  /** Texts sent to a model, and texts whose vector was cached. */
  textsEmbedded: 0,
  embeddingsReused: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  /** Batches of files that wait to be analysed and written. */
  batchesWaiting: 0,
};
