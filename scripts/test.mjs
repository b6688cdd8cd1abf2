// npm test: the tests that every change runs, projects `unit` and `real`. npm run test:durable: `durable` and `compose`.
// Arguments after `--` are passed to Vitest: `npm test -- test/unit/git`, `npm run test:durable -- --shard=1/6`. With
// `--project` only that project runs. The last line is `N passed, N failed`. See docs/testing.md.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITES = { default: ['unit', 'real'], durable: ['durable', 'compose'] };
const [first, ...rest] = process.argv.slice(2);
const isDurable = first === 'durable';
const given = isDurable || first === undefined ? rest : [first, ...rest];
const projects = given.some((argument) => argument.startsWith('--project'))
  ? []
  : SUITES[isDurable ? 'durable' : 'default'].flatMap((name) => ['--project', name]);

const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const root = fileURLToPath(new URL('..', import.meta.url));
const env = {
  // hundreds of processes load the same modules
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'),
  // starting git costs a process as much as it has pages: larger pages make them few (glibc on Linux only)
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  ...process.env,
};
const { status, signal, error } = spawnSync(process.execPath, [vitest, 'run', ...projects, ...given], {
  cwd: root,
  env,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = signal ? 1 : (status ?? 1);
