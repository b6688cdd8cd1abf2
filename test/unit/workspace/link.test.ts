import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../../support/scratch-git.ts';
import { walk } from '../../support/workspace/plan-site.ts';
import { runWorkspace } from '../../support/workspace/run-workspace.ts';

/** Three Elixir projects: `web` needs `api`, which needs `core`. `declared` is the declaration of `web`. */
function workspace(declared = '{:api, "~> 1.0", only: :test, runtime: false}') {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  const make = (name: string, path: string, deps: string): void => {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(
      join(root, path, 'mix.exs'),
      `defmodule M do\n  use Mix.Project\n  # {:core, "~> 0.1"}?\n  def project, do: [app: :${name}, version: "1.0.0", deps: deps()]\n  defp deps do\n    [${deps}]\n  end\nend\n`,
    );
  };
  make('core', 'libs/core', '');
  make('api', 'api', '{:core, git: "https://git.example/core.git", tag: "v1", override: true}');
  make('web', 'web', declared);
  writeFileSync(
    join(root, 'longhaul.workspace.yaml'),
    'repositories: [{ name: core, path: libs/core }, { name: api }, { name: web }]\n',
  );
  const run = async (...args: string[]) => runWorkspace(scratch, ['link', ...args, '--root', root]);
  const text = (path: string): string => readFileSync(join(root, path, 'mix.exs'), 'utf8');
  return { root, scratch, run, text };
}

test('consumers of a linked package are linked, too, and options are kept', async () => {
  const { root, run, text, scratch } = workspace();
  chmodSync(join(root, 'web', 'mix.exs'), 0o640);
  const before = walk(root);
  expect(await run('on', 'core')).toMatchObject({ code: 0 });
  expect(text('api')).toContain('[{:core, path: "../libs/core", override: true}]');
  expect(text('web')).toContain('[{:api, path: "../api", only: :test, runtime: false}]');
  expect(statSync(join(root, 'web', 'mix.exs')).mode & 0o777).toBe(0o640);
  const drift = await runWorkspace(scratch, ['status', '--root', root, '--drift', '--json']);
  expect(JSON.parse(drift.out)).toMatchObject({
    drift: {
      links: [
        { repo: 'api', classification: 'none' },
        { repo: 'web', classification: 'none' },
      ],
    },
    links: [
      { repo: 'api', dep: 'core' },
      { repo: 'web', dep: 'api' },
    ],
  });
  // again: nothing to do, and what is recorded stays
  expect((await run('on', 'core', '--json')).out).toContain('"applied_changes":[]');
  expect(await run('off', 'api', 'core')).toMatchObject({ code: 0 });
  const after = Object.entries(walk(root)).filter(([name]) => !name.startsWith('/.graft'));
  expect(Object.fromEntries(after)).toEqual(before);
});

test.each([
  ['api: "~> 1.0"', 'api: [path: "../api"]'],
  ['{:api, ">= 1.0.0 and < 2.0.0"}', '{:api, path: "../api"}'],
  ['{:mine, "~> 1.0", hex: :api, optional: true}', '{:mine, path: "../api", optional: true}'],
])('%s becomes %s', async (declared, linked) => {
  const { run, text } = workspace(declared);
  expect(await run('on', 'api')).toMatchObject({ code: 0 });
  expect(text('web')).toContain(`[${linked}]`);
});

test('link off puts only its declaration back, whatever was changed around it', async () => {
  const { root, run, text } = workspace();
  await run('on', 'api');
  writeFileSync(join(root, 'web', 'mix.exs'), `# mine\n${text('web')}`);
  expect(await run('off', 'api')).toMatchObject({ code: 0 });
  expect(text('web')).toMatch(/^# mine\n[^]*\[\{:api, "~> 1\.0", only: :test, runtime: false\}\]/);
});

test('a declaration that was changed is for a person, and nothing else is changed then', async () => {
  const { root, run, text } = workspace();
  await run('on', 'core');
  writeFileSync(join(root, 'web', 'mix.exs'), text('web').replace('only: :test', 'only: :dev'));
  const before = walk(root);
  const { code, err } = await run('off', 'core', 'api');
  expect([code, err]).toEqual([
    9,
    expect.stringContaining('Put {:api, "~> 1.0", only: :test, runtime: false} in its place by hand'),
  ]);
  expect(walk(root)).toEqual(before);
});

test('after a crash between the state and a file, the same command makes the link, and off forgets it', async () => {
  const { root, run, text, scratch } = workspace();
  const old = text('web');
  await run('on', 'api');
  const linked = text('web');
  // as a process leaves it that dies before the rename
  writeFileSync(join(root, 'web', 'mix.exs'), old);
  const drift = await runWorkspace(scratch, ['status', '--root', root, '--drift']);
  expect([drift.code, drift.out]).toEqual([1, expect.stringContaining('link to api missing')]);
  expect(await run('on', 'api')).toMatchObject({ code: 0 });
  expect(text('web')).toBe(linked);
  writeFileSync(join(root, 'web', 'mix.exs'), old);
  expect(await run('off', 'api')).toMatchObject({ code: 0 });
  expect(text('web')).toBe(old);
});

test('a mix.exs that leads out of the workspace is not written', async () => {
  const { root, run, scratch } = workspace();
  const elsewhere = join(scratch, 'elsewhere.exs');
  writeFileSync(elsewhere, readFileSync(join(root, 'web', 'mix.exs')));
  rmSync(join(root, 'web', 'mix.exs'));
  symlinkSync(elsewhere, join(root, 'web', 'mix.exs'));
  const before = readFileSync(elsewhere, 'utf8');
  await run('on', 'api');
  expect(readFileSync(elsewhere, 'utf8')).toBe(before);
});

test('a package without a recorded link, and one that there is not, are named', async () => {
  const { run } = workspace();
  expect(await run('off', 'api', '--json')).toMatchObject({
    code: 2,
    out: expect.stringContaining('"targets":["api"]') as string,
  });
  expect(await run('on', 'nope')).toMatchObject({ code: 2, err: expect.stringContaining('[:nope]') as string });
});
