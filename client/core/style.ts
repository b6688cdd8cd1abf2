import { styleText } from 'node:util';
import type { Output } from './io.ts';

/** Adds the escape codes of a style to a text, or returns the text unchanged. */
export type Style = (format: 'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;

/**
 * The styles for a stream: none when `NO_COLOR` is set; otherwise all when `FORCE_COLOR` is set to anything but `0`, or
 * when the stream is a terminal. An empty variable counts as unset (https://no-color.org, https://force-color.org).
 */
export function styleFor({ isTTY = false }: Output, env: NodeJS.ProcessEnv): Style {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '' } = env;
  const isStyled = no === '' && (force === '' ? isTTY : force !== '0');
  // Node itself would look at the variables of this process and at its own streams only
  return (format, text) => (isStyled ? styleText(format, text, { validateStream: false }) : text);
}
