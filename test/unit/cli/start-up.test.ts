import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN } from '../../support/command.ts';

// The start time depends on the loaded modules. A model, a server's client or a schema would be hundreds of files.
test('longhaul --help loads only commander and the declarations of commands', async () => {
  const hook = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    process.once('exit', () => process.stderr.write(JSON.stringify(loaded)));`;
  const { stdout, stderr } = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, BIN, '--help'],
    { env: { PATH: process.env['PATH'] ?? '' }, extendEnv: false },
  );
  expect(stdout).toContain('search');
  const loaded = (JSON.parse(stderr) as string[]).filter((url) => url.startsWith('file:'));
  const packages = loaded.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  expect([...new Set(packages)]).toEqual(['commander']);
  expect(loaded.length).toBeLessThan(40);
});
