import type { OnProgress } from '../../../stack/progress.ts';
import type { Output } from '../../core/io.ts';

/** How often a passing state is printed where lines cannot be replaced, in milliseconds. */
const REPEAT = 10_000;

/**
 * Writes the stack's progress: on a terminal a line that is replaced while something passes, otherwise plain lines,
 * with a passing state every ten seconds.
 */
export function progressLines(stream: Output): OnProgress {
  const printed = new Map<string, number>();
  let open = false;
  return ({ about, message, passing }) => {
    const line = `${about}: ${message}`;
    if (stream.isTTY) {
      const width = Math.max(20, (stream.columns ?? 80) - 1);
      stream.write(`${open ? '\r\u001B[2K' : ''}${passing ? line.slice(0, width) : `${line}\n`}`);
      open = passing;
      return;
    }
    if (passing && Date.now() - (printed.get(about) ?? 0) < REPEAT) return;
    printed.set(about, Date.now());
    stream.write(`${line}\n`);
  };
}
