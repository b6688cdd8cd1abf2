/** The context of every part of the test. */
export interface Surroundings {
  /** Cache of packages, built servers and images between runs. */
  readonly cacheFolder: string;
  /** Reports progress. */
  readonly say: (message: string) => void;
  /** Ends the work in progress. */
  readonly signal: AbortSignal;
}
