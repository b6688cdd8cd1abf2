// npm test: every test, or those given after `--` (`npm test -- --project unit test/unit/catalog/flows/fleet.test.ts`).
// Prints `N passed, N failed` last.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const root = fileURLToPath(new URL('..', import.meta.url));
// hundreds of processes load the same modules
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'), ...process.env };
const { status, signal, error } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = signal ? 1 : (status ?? 1);
