// npm run build: creates dist/ for the package and the image, in a temporary folder that is then renamed.
// dist/<layer>/**        the compiled layers, with their types, and all their files that are not TypeScript
// dist/grammars/**      the tree-sitter grammars, from the development dependencies; parsers take a tenth when compressed
// dist/workflow-bundle.js   the workflows, bundled: a worker starts a second sooner and needs no bundler
// dist/workflow-bundle-traced.js   the same for workers that send traces
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { GRAMMARS, readGrammar } from '../activities/index/analysis/grammar-files.ts';
import { TRACING_MODULE } from '../workers/tracing.ts';
import { workflowSources } from '../workers/workflow-sources.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const layers = ['platform', 'domain', 'workflows', 'activities', 'workers', 'client', 'stack'];
const dist = join(root, 'dist');
// Next to dist: the source maps contain relative paths to the sources.
const unfinished = join(root, `dist.${process.pid}.part`);

process.chdir(root);
clearAway();
try {
  compile();
  copyAssets();
  await copyGrammars();
  await bundleWorkflows('workflow-bundle.js', []);
  await bundleWorkflows('workflow-bundle-traced.js', [createRequire(import.meta.url).resolve(TRACING_MODULE)]);
  makeExecutable();
  rmSync(dist, { recursive: true, force: true });
  renameSync(unfinished, dist);
} finally {
  clearAway();
}

function compile() {
  // Not incremental: the build info would remember deleted files.
  run(
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
    '--outDir',
    unfinished,
    '--incremental',
    'false',
    '--tsBuildInfoFile',
    'null',
  );
}

function copyAssets() {
  const isAsset = (file) => !['.ts', '.mts', '.cts'].includes(extname(file));
  for (const layer of layers.filter((each) => existsSync(each))) {
    for (const entry of readdirSync(layer, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && isAsset(file)) cpSync(file, join(unfinished, file));
    }
  }
}

async function copyGrammars() {
  const folder = join(unfinished, 'grammars');
  // the default takes 80 seconds for 4 % less
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  mkdirSync(folder);
  for (const name of GRAMMARS) {
    const { wasm, tags } = await readGrammar(name);
    writeFileSync(join(folder, `${name}.wasm.br`), brotliCompressSync(wasm, { params }));
    writeFileSync(join(folder, `${name}.scm`), tags);
  }
}

async function bundleWorkflows(name, interceptors) {
  const { code } = await bundleWorkflowCode({
    ...workflowSources(interceptors),
    // The bundler's default logger prints all of webpack's output.
    logger: new DefaultLogger('WARN'),
  });
  writeFileSync(join(unfinished, name), withRelativeSources(code));
}

/** The bundle's source map contains paths of the build machine; stack traces should not. */
function withRelativeSources(code) {
  const tag = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';
  const at = code.lastIndexOf(tag);
  if (at < 0) throw new Error('The workflow bundle has no inline source map: @temporalio/worker changed its format.');
  const map = JSON.parse(Buffer.from(code.slice(at + tag.length), 'base64').toString('utf8'));
  map.sources = map.sources.map((source) => (isAbsolute(source) ? relative(root, source) : source));
  return `${code.slice(0, at)}${tag}${Buffer.from(JSON.stringify(map)).toString('base64')}`;
}

function makeExecutable() {
  chmodSync(join(unfinished, 'client/bin.js'), 0o755);
}

function clearAway() {
  for (const entry of readdirSync(root)) {
    if (/^dist\.\d+\.part$/.test(entry)) rmSync(join(root, entry), { recursive: true, force: true });
  }
}

function run(...args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}`);
}
