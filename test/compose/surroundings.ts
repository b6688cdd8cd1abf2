/** What every part of the test is given. */
export interface Surroundings {
  /** Packages, built servers and images are kept here between runs. */
  readonly cacheFolder: string;
  /** Tells whoever waits what is being done. */
  readonly say: (message: string) => void;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
}
