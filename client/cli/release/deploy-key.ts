import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import type { CliIo } from '../../core/io.ts';

/** `longhaul environments key`: prints a new key for `deploy.key`, as age-keygen does. Returns the exit code. */
export async function deployKeyCommand({ stdout }: CliIo): Promise<number> {
  stdout.write(await newKeyFile());
  return 0;
}
