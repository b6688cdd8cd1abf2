import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LonghaulError } from '../domain/shared/failures.ts';

const schema = z.record(z.string(), z.string());

/**
 * The environment of this process, and variables that are not in it: a JSON object of texts in a file, or from standard
 * input for `-`. Other processes of the machine can read the environment of a process (`/proc/<pid>/environ`), and
 * programs of repositories are such processes where no sandbox hides it. Throws `InvalidInput`.
 */
export async function withVariables(env: NodeJS.ProcessEnv, source: string): Promise<NodeJS.ProcessEnv> {
  try {
    const content = source === '-' ? await text(process.stdin) : await readFile(source, 'utf8');
    return { ...env, ...schema.parse(JSON.parse(content)) };
  } catch (error) {
    // the content is not shown: it has secrets
    throw new LonghaulError('InvalidInput', `--variables: ${source} is not a JSON object of texts.`, { cause: error });
  }
}
