import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A secret as it is, percent-encoded, in hexadecimal, and in base64 at each of the three places where it may begin. */
export function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((before) =>
    Buffer.from('x'.repeat(before) + secret)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  );
  const percent = encodeURIComponent(secret);
  return [secret, percent, percent.replaceAll('%20', '+'), Buffer.from(secret).toString('hex'), ...base64];
}

/** Every text in a history, with the content of its payloads. */
export function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textIn).join('\n') : '';
}

/** The contents of all files of a folder. */
export function contentsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}
