import { readFile } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { messageOf } from '../../../platform/error-code.ts';

/** The value in a file of JSON. `what` names it in messages: `an intent`. Throws `InvalidInput`. */
export async function readJsonFile(file: string, what: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new LonghaulError('InvalidInput', `${file} cannot be read as ${what}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
