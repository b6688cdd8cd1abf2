/** This machine cannot run the test; the message says why. The test is then reported as skipped, never as passed. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** Exit code of `run.ts` for {@link Unavailable} (`EX_TEMPFAIL` of sysexits.h). */
export const UNAVAILABLE_EXIT_CODE = 75;
