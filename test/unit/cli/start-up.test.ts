import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../../support/command.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';

interface Loaded {
  readonly files: string[];
  readonly packages: string[];
  readonly stdout: string;
  readonly stderr: string;
}

/** The files that a command loads in its main thread, and their packages, without those of the project; and what it prints. */
async function loadedBy(...args: string[]): Promise<Loaded> {
  const hook = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    process.once('exit', () => process.stderr.write('\\n' + JSON.stringify(loaded)));`;
  const { stdout, stderr } = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, BIN, ...args],
    {
      env: {
        ...COMPILE_CACHE,
        PATH: process.env['PATH'] ?? '',
        HOME: scratchFolder(),
        LONGHAUL_CACHE_DIR: scratchFolder(),
        WEAVIATE_URL: 'http://127.0.0.1:9',
        DATABASE_READER_URL: 'postgres://reader:secret@127.0.0.1:9/longhaul',
      },
      extendEnv: false,
      reject: false,
    },
  );
  const files = (JSON.parse(stderr.split('\n').at(-1) ?? '') as string[]).filter((url) => url.startsWith('file:'));
  const packages = files.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { files, packages: [...new Set(packages)].sort(), stdout, stderr };
}

// The start time depends on the loaded modules. A model, a server's client or a schema would be hundreds of files.
test('longhaul --help loads only commander, the place of the cache and the declarations of commands', async () => {
  const { files, packages, stdout } = await loadedBy('--help');
  expect(stdout).toContain('search');
  expect(packages).toEqual(['commander', 'env-paths', 'is-safe-filename']);
  expect(files.length).toBeLessThan(40);
});

// A person who pressed Tab waits for it.
test.for([
  ['diff', ''],
  ['watch', ''],
  ['groups', 'show', ''],
])('longhaul complete -- %j loads no client of a server, and not what runs programs', async (words) => {
  const { files, packages } = await loadedBy('complete', '--', ...words);
  expect(packages).toContain('zod');
  for (const heavy of ['@temporalio/client', '@temporalio/proto', 'weaviate-client', 'execa', 'pg']) {
    expect(packages).not.toContain(heavy);
  }
  expect(files.length).toBeLessThan(380);
});

// The modules of each of these take up to a tenth of a second. The transformer is opened in a thread.
test('longhaul search loads neither the transformer nor what writes, runs programs or talks to Temporal and forges', async () => {
  const { packages, stderr } = await loadedBy('search', 'a word');
  expect(stderr).toContain('Weaviate at http://127.0.0.1:9 does not answer');
  expect(packages).toEqual(expect.arrayContaining(['weaviate-client', 'zod']));
  const heavy =
    /^(?:execa|onnxruntime-node|piscina|fastify|undici|pg|kysely|pino|web-tree-sitter|linguist-.*|@opentelemetry\/.*|@temporalio\/.*|@aws-sdk\/.*|@octokit\/.*|@modelcontextprotocol\/.*)$/;
  expect(packages.filter((name) => heavy.test(name))).toEqual([]);
});

// The query builder alone would be 255 files, a third of the command's time.
test('longhaul generation show loads of its dependencies only what reads the configuration and talks to PostgreSQL', async () => {
  const { files, packages, stderr } = await loadedBy('generation', 'show', 'v1.5.0', '--repo', 'work/acme/api');
  expect(stderr).toContain('PostgreSQL does not answer for the database longhaul at 127.0.0.1:9');
  const ofThePostgresClient = /^(?:pg|pg-.*|postgres-.*|xtend)$/;
  expect(packages).toContain('pg');
  expect(packages.filter((name) => !ofThePostgresClient.test(name))).toEqual([
    'commander',
    'env-paths',
    'fastest-levenshtein',
    'is-safe-filename',
    'yaml',
    'zod',
  ]);
  expect(files.length).toBeLessThan(335);
});
