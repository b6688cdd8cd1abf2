import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { UNAVAILABLE_EXIT_CODE } from './unavailable.ts';

const MINUTES = 60_000;

// A separate program, so that it can also run without the test runner, and cleans up if this process is killed.
test(
  'docker compose up is followed by a successful onboarding',
  { timeout: 60 * MINUTES },
  async ({ skip, signal }) => {
    const program = fileURLToPath(new URL('./run.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    signal.addEventListener('abort', () => child.kill('SIGTERM'));
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      process.stdout.write(`compose: ${line}\n`);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    const reason = lines.find((line) => line.startsWith('SKIPPED: ')) ?? 'SKIPPED: no reason given';
    skip(code === UNAVAILABLE_EXIT_CODE, reason);
    const failure = lines.slice(lines.findIndex((line) => line.startsWith('FAILED: '))).join('\n');
    expect({ code, failure: code === 0 ? '' : failure }).toEqual({ code: 0, failure: '' });
  },
);
