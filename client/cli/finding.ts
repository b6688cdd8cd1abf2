import type { Finding } from './commands.ts';

/** A successful check. */
export function fine(name: string, found: string): Finding {
  return { name, ok: true, found, remedy: null };
}

/** A failed check. */
export function wrong(name: string, found: string, remedy: string): Finding {
  return { name, ok: false, found, remedy };
}
