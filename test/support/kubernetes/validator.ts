import { copyFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { loadConfig } from '../../../activities/shared/config.ts';
import { cachedServer } from '../../../stack/server-cache.ts';

/** kubernetes-validate is numbered by the newest Kubernetes whose schemas it has: that of the cluster of tests. */
const VERSION = '1.33.1';
const KUBERNETES = '1.33';
const REQUIREMENTS = fileURLToPath(new URL('./validator-requirements.txt', import.meta.url));

/**
 * Says of each object of a stream of YAML documents whether it is valid for Kubernetes 1.33, a line each: neither its
 * parser nor its rules are those of the product. A field that the kind does not have is an error.
 */
export type ValidateManifests = (text: string) => Promise<readonly string[]>;

/** Fetches kubernetes-validate by pip, once into the user's cache. */
export async function openValidator(): Promise<ValidateManifests> {
  const make = async (folder: string): Promise<void> => {
    await copyFile(REQUIREMENTS, join(folder, 'requirements.txt'));
    const options = ['--require-hashes', '--only-binary=:all:', '--no-deps', '--no-cache-dir', '--target', '.'];
    await execa('python3', ['-m', 'pip', '-qq', 'install', ...options, '-r', 'requirements.txt'], { cwd: folder });
    // 80 MB of other versions
    const schemas = join(folder, 'kubernetes_validate', 'kubernetes-json-schema');
    for (const name of await readdir(schemas)) {
      if (!name.startsWith(`v${KUBERNETES}.`)) await rm(join(schemas, name), { recursive: true });
    }
  };
  const program = await cachedServer(
    { name: 'kubernetes-validate', version: VERSION, program: 'kubernetes_validate/__main__.py', make },
    { cacheDir: loadConfig({ env: process.env }).cacheDir, env: process.env, onProgress: () => undefined },
  );
  const args = ['-m', 'kubernetes_validate', '--kubernetes-version', KUBERNETES, '--strict', '-'];
  return async (text) => {
    const { stdout, stderr, exitCode } = await execa('python3', args, {
      input: text,
      env: { PYTHONPATH: dirname(dirname(program)) },
      reject: false,
    });
    if (exitCode !== 0 && exitCode !== 1) throw new Error(`kubernetes-validate ended with ${exitCode}: ${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  };
}
