import { readFile } from 'node:fs/promises';
import type { SHELLS } from './shells.ts';

/** The script that makes a shell complete `longhaul`. */
export function completionScript(shell: (typeof SHELLS)[number]): Promise<string> {
  return readFile(new URL(`./longhaul.${shell}`, import.meta.url), 'utf8');
}
