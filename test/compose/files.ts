import { access, cp, link, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** True when `file` exists. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The content of a file; empty when there is none. */
export async function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

/** Creates a hard link to a file, or a copy where the file system does not support links. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => cp(from, to));
}

/** An error as one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Error && 'shortMessage' in error) {
    const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim().split('\n').at(-1) : '';
    return `${String(error.shortMessage).split('\n', 1).join('')}${stderr ? `: ${stderr}` : ''}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Polls every 200 ms until the result is not undefined. Throws after `seconds`. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`Waited ${seconds} s for ${what}.`);
    await wait(200);
  }
}
