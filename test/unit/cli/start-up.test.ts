import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../../support/command.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

// The start time depends on the loaded modules. A model, a server's client or a schema would be hundreds of files.
test('longhaul --help loads only commander, the place of the cache and the declarations of commands', async () => {
  const { stdout, files, packages } = await loadedBy(['--help'], {});
  expect(stdout).toContain('search');
  expect(packages.toSorted()).toEqual(['commander', 'env-paths', 'is-safe-filename']);
  expect(files.length).toBeLessThan(40);
});

// The modules of each of these take a tenth of a second or more; the transformer is opened in its own thread.
test('longhaul search loads neither what writes, starts programs or talks to Temporal and forges, nor the transformer', async () => {
  const { stderr, packages } = await loadedBy(['search', 'a word'], {
    WEAVIATE_URL: 'http://127.0.0.1:9',
  });
  expect(stderr).toContain('Weaviate at http://127.0.0.1:9 does not answer');
  expect(packages).toEqual(expect.arrayContaining(['weaviate-client', 'zod']));
  const heavy =
    /^(execa|onnxruntime-node|piscina|fastify|undici|pg|kysely|pino|web-tree-sitter|linguist-|@opentelemetry|@temporalio|@aws-sdk|@octokit|@modelcontextprotocol)/;
  expect(packages.filter((name) => heavy.test(name))).toEqual([]);
});

/** What a command loads in its main thread. */
async function loadedBy(args: readonly string[], env: Record<string, string>) {
  const hook = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    process.once('exit', () => process.stderr.write('\\n' + JSON.stringify(loaded)));`;
  const folder = scratchFolder();
  const { stdout, stderr } = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, BIN, ...args],
    {
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, LONGHAUL_CACHE_DIR: folder, ...env },
      extendEnv: false,
      reject: false,
    },
  );
  const files = (JSON.parse(stderr.split('\n').at(-1) ?? '') as string[]).filter((url) => url.startsWith('file:'));
  const packages = files.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { stdout, stderr, files, packages: [...new Set(packages)] };
}
