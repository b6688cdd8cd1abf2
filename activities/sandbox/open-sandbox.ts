import { LonghaulError } from '../../domain/shared/failures.ts';
import { openBubblewrap } from './bubblewrap.ts';
import type { Sandbox, SandboxSettings } from './sandbox.ts';
import { openUnconfined } from './unconfined.ts';

/**
 * Opens the configured sandbox, and runs a program in it to see that it works. Throws `SandboxUnusable` with what is
 * missing on this machine, `InvalidConfiguration` for folders that programs cannot use.
 */
export async function openSandbox(settings: SandboxSettings): Promise<Sandbox> {
  const sandbox = settings.sandbox === 'none' ? await openUnconfined(settings) : await openBubblewrap(settings);
  return {
    ...sandbox,
    async run(program) {
      if (program.network === true && !settings.network) {
        throw new LonghaulError('NetworkNotAllowed', 'This program asks for a network, and the worker allows none.');
      }
      return sandbox.run(program);
    },
  };
}
