import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of a text (as UTF-8) or of bytes, in hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return sha256Bytes(content).toString('hex');
}

/** SHA-256 of a text (as UTF-8) or of bytes: 32 bytes. */
export function sha256Bytes(content: string | Uint8Array): Buffer {
  return hash('sha256', content, 'buffer');
}

/** SHA-256 of a file, in hexadecimal; the file is read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex');
}
