import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../../support/command.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

/** The files that a command loads, and their packages, without those of the project; and what it prints. */
async function loadedBy(...args: string[]): Promise<{ files: string[]; packages: string[]; stdout: string }> {
  const hook = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    process.once('exit', () => process.stderr.write(JSON.stringify(loaded)));`;
  const { stdout, stderr } = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, BIN, ...args],
    { env: { PATH: process.env['PATH'] ?? '', LONGHAUL_CACHE_DIR: scratchFolder() }, extendEnv: false },
  );
  const files = (JSON.parse(stderr) as string[]).filter((url) => url.startsWith('file:'));
  const packages = files.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { files, packages: [...new Set(packages)], stdout };
}

// The start time depends on the loaded modules. A model, a server's client or a schema would be hundreds of files.
test('longhaul --help loads only commander and the declarations of commands', async () => {
  const { files, packages, stdout } = await loadedBy('--help');
  expect(stdout).toContain('search');
  expect(packages).toEqual(['commander']);
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
  expect(files.length).toBeLessThan(350);
});
