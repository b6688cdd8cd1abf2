import { execa } from 'execa';
import { loadConfig } from '../../../activities/shared/config.ts';
import { fetchGoProgram } from '../../../stack/fetch-go-program.ts';
import pin from './actionlint.json' with { type: 'json' };

/** The path of the pinned actionlint, which Go builds once into the user's cache. */
export function fetchActionlint(): Promise<string> {
  const { env } = process;
  return fetchGoProgram(
    { ...pin, name: 'actionlint', title: 'actionlint', otherwise: 'or leave the test of the workflows out' },
    {
      cacheDir: loadConfig({ env }).cacheDir,
      env,
      onProgress: ({ about, message, passing }) => void (passing || process.stderr.write(`${about}: ${message}\n`)),
    },
  );
}

/**
 * The problems that actionlint reports for one workflow, as `file:line:column: message [rule]` lines; empty for none.
 */
export async function actionlint(program: string, root: string, name: string, text: string): Promise<string> {
  // shellcheck and pyflakes are off: the result must not depend on what else is installed
  const args = ['-no-color', '-oneline', '-shellcheck=', '-pyflakes=', '-stdin-filename', name, '-'];
  const { stdout, exitCode, stderr } = await execa(program, args, { cwd: root, input: text, reject: false });
  if (exitCode !== 0 && exitCode !== 1) throw new Error(`actionlint failed: ${stderr}`);
  return stdout;
}
