import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

/** kubectl for a worker, whose reads a test can hold. */
export interface HoldingKubectl {
  /** Its path. */
  readonly program: string;
  /** Holds the next read of an object: the server has answered, and kubectl answers when it is let go. Resolves when it is held. */
  holdNextRead(): Promise<void>;
  /** Lets go what is held. */
  letGo(): void;
}

/** Makes a kubectl in a folder; it runs the one on PATH. */
export function holdingKubectl(folder: string): HoldingKubectl {
  const holds = join(folder, 'holds');
  const program = join(folder, 'kubectl');
  mkdirSync(holds);
  const proxy = fileURLToPath(new URL('holding-proxy.ts', import.meta.url));
  const script = `#!/bin/sh
case "$*" in *' proxy '*) exec '${process.execPath}' '${proxy}' '${holds}' "$@";; esac
exec kubectl "$@"
`;
  writeFileSync(program, script, { mode: 0o700 });
  const all = (): readonly string[] => readdirSync(holds).filter((name) => name.endsWith('.held'));
  return {
    program,
    async holdNextRead() {
      const before = all().length;
      writeFileSync(join(holds, 'next'), '');
      await vi.waitUntil(() => !existsSync(join(holds, 'next')) && all().length > before, { timeout: 60_000 });
    },
    letGo() {
      for (const name of all()) rmSync(join(holds, name));
    },
  };
}
