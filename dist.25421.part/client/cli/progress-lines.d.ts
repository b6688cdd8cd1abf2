import type { OnProgress } from '../../stack/progress.ts';
/**
 * Writes progress of the stack: on a terminal one line that is replaced while something passes, elsewhere plain lines, of a
 * passing state one in ten seconds.
 */
export declare function progressLines(stream: NodeJS.WriteStream): OnProgress;
