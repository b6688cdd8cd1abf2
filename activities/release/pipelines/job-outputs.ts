import { LonghaulError } from '../../../domain/shared/failures.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { openUntrusted } from '../../../platform/untrusted-file.ts';

/** Outputs travel through a workflow's history. */
const MOST_BYTES = 16_000;

/**
 * The outputs that a job wrote to its file, `name=value` a line; the last value of a name counts. Names that the job does
 * not declare are ignored, declared ones that it did not write are missing. Throws `InvalidInput` for a file over 16 kB.
 */
export async function readOutputs(path: string, declared: readonly string[]): Promise<Record<string, string>> {
  const text = await readSmall(path);
  const outputs: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
    // they become part of a workflow's history
    if (declared.includes(name)) outputs[name] = redact(value);
  }
  return outputs;
}

async function readSmall(path: string): Promise<string> {
  const file = await openUntrusted(path);
  if (file === null) return '';
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0);
    if (bytesRead <= MOST_BYTES) return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
  throw new LonghaulError('InvalidInput', `The job wrote more than ${MOST_BYTES} bytes to LONGHAUL_OUTPUT.`);
}
