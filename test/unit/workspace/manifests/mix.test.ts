import { expect, test } from 'vitest';
import { manifestsOf, shown } from '../../../support/workspace/manifest-repository.ts';

const APP = `defmodule Shop.MixProject do
  use Mix.Project

  @version "2.3.0"
  @source "https://example.com/shop"

  def project do
    [
      app: :shop,
      version: @version,
      elixir: "~> 1.15",
      deps: deps(),
      aliases: aliases()
    ]
  end

  # „Käse“: two bytes a letter
  defp deps do
    [
      {:parser, "~> 1.4"},
      {:"odd-name", ">= 0.0.0"},
      {:linter, "~> 0.3", only: [:dev, :test], runtime: false},
      {:maybe, "~> 2.0 or ~> 3.0", optional: true},
      {:here, path: "../here"},
      {:there, git: "https://example.com/there.git", tag: "v1.0.0"},
      {:hub, "~> 1.0", github: "acme/hub"},
      {:renamed, "~> 1.0", hex: :real_name},
      {:shown, @version},
      {:ä, "1.0.0"}, # after the tuple
      plain: "~> 5.0"
    ]
  end

  defp aliases, do: [setup: ["deps.get"]]
end
`;

test('a project: name, version of a module attribute, literal tuples with their options and bytes', async () => {
  const { packages, diagnostics } = await manifestsOf({ 'mix.exs': APP });
  expect(diagnostics).toEqual([]);
  expect(packages[0]).toMatchObject({ ecosystem: 'hex', name: 'shop', version: '2.3.0', path: '.', file: 'mix.exs' });
  const dependencies = packages[0]?.dependencies ?? [];
  expect(dependencies.map((each) => `${each.line} ${shown(each)}`)).toEqual([
    '20 normal | parser | ~> 1.4 | hex | -',
    '21 normal | odd-name | >= 0.0.0 | hex | -',
    '22 dev | linter | ~> 0.3 | hex | -',
    '23 optional | maybe | ~> 2.0 or ~> 3.0 | hex | -',
    '24 normal | here | - | path | ../here',
    '25 normal | there | - | git | https://example.com/there.git',
    '26 normal | hub | ~> 1.0 | git | https://github.com/acme/hub.git',
    '27 normal | real_name as renamed | ~> 1.0 | hex | -',
    '28 normal | shown | 2.3.0 | hex | -',
    '29 normal | ä | 1.0.0 | hex | -',
    '30 normal | plain | ~> 5.0 | hex | -',
  ]);
  expect(dependencies[2]?.options).toEqual([
    { name: 'only', raw: '[:dev, :test]' },
    { name: 'runtime', raw: 'false' },
  ]);
  const bytes = Buffer.from(APP);
  for (const { raw, span } of dependencies) expect(bytes.subarray(span?.start, span?.end).toString()).toBe(raw);
  expect(dependencies[0]?.raw).toBe('{:parser, "~> 1.4"}');
  expect(dependencies[10]?.raw).toBe('plain: "~> 5.0"');
});

test('what is computed is a diagnostic with its line, and the rest is read', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'mix.exs': `defmodule A.MixProject do
  use Mix.Project
  @version "1.0.0"
  @version "1.0.1"
  def project do
    [app: :a, version: @version, deps: deps() ++ more(Mix.env())]
  end
  defp deps do
    [
      {:literal, "~> 1.0"},
      ecto_dep(),
      {:versioned, version("~> 1.0")},
      {:interpolated, "~> #{x()}"},
      {:located, path: Path.expand("../located")},
      {:shaped, "~> 1.0", options()},
      {name(), "~> 1.0"},
      if(System.get_env("X"), do: {:sometimes, "~> 1.0"})
    ] ++ [{:second, "~> 2.0"}] ++ extra()
  end
  defp extra, do: Enum.map([:x], &{&1, "~> 1.0"})
  defp more(:test), do: [{:never, "~> 1.0"}]
  defp more(_), do: []
end
`,
  });
  expect(packages[0]).toMatchObject({ name: 'a', version: null });
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'normal | literal | ~> 1.0 | hex | -',
    'normal | versioned | - | unknown | -',
    'normal | interpolated | - | unknown | -',
    'normal | located | - | unknown | -',
    'normal | shaped | - | unknown | -',
    'normal | second | ~> 2.0 | hex | -',
  ]);
  expect(new Set(diagnostics.map(({ kind }) => kind))).toEqual(new Set(['computed']));
  expect(diagnostics.map(({ line, message }) => `${line} ${message}`)).toEqual([
    '6 `version` is computed: `@version`.',
    '6 Dependencies are computed, so these are not read: `more(Mix.env())`.',
    '11 A dependency is computed: `ecto_dep()`.',
    '12 versioned: this part of the dependency is computed: `version("~> 1.0")`.',
    '13 interpolated: this part of the dependency is computed: `"~> #{x()}"`.',
    '14 located: this part of the dependency is computed: `Path.expand("../located")`.',
    '15 shaped: this part of the dependency is computed: `options()`.',
    '16 A dependency is computed: `{name(), "~> 1.0"}`.',
    '17 A dependency is computed: `if(System.get_env("X"), do: {:sometimes, "~> 1.0"})`.',
    '20 Dependencies are computed, so these are not read: `Enum.map([:x], &{&1, "~> 1.0"})`.',
  ]);
});

test('the apps of an umbrella, limited to those that it names', async () => {
  const app = (name: string, deps = ''): string =>
    `defmodule ${name}.MixProject do\n  use Mix.Project\n  def project, do: [app: :${name.toLowerCase()}, version: "0.1.0", deps: [${deps}]]\nend\n`;
  const files = (more: string): Record<string, string> => ({
    'mix.exs': `defmodule U do\n  use Mix.Project\n  def project, do: [apps_path: "apps", version: "0.1.0", deps: []${more}]\nend\n`,
    'apps/web/mix.exs': app('Web', '{:core, in_umbrella: true}'),
    'apps/core/mix.exs': app('Core'),
    'apps/core/deps/other/mix.exs': app('Other'),
    'elsewhere/mix.exs': app('Elsewhere'),
  });
  const { packages, diagnostics } = await manifestsOf(files(''));
  expect(diagnostics).toEqual([]);
  expect(packages.map(({ name, path }) => [name, path])).toEqual([
    [null, '.'],
    ['core', 'apps/core'],
    ['web', 'apps/web'],
  ]);
  expect(packages[2]?.dependencies.map(shown)).toEqual(['normal | core | - | workspace | -']);
  const limited = await manifestsOf(files(', apps: [:web]'));
  expect(limited.packages.map(({ path }) => path)).toEqual(['.', 'apps/web']);
  const computed = await manifestsOf(files(', apps: apps()'));
  expect(computed.diagnostics.map(({ kind, line }) => [kind, line])).toEqual([['computed', 3]]);
});

test.for([
  ['a syntax error', 'defmodule A do\n  def project, do: [app: :a\nend', 'syntax', 0],
  ['no project', 'defmodule A do\nend', 'invalid', 0],
  ['settings that are computed', 'defmodule A do\n  def project do\n    settings(:a)\n  end\nend', 'computed', 1],
  ['a name that is computed', 'defmodule A do\n  def project, do: [\n app: name()]\nend', 'computed', 1],
  [
    'dependencies with several clauses',
    'defmodule A do\n  def project, do: [app: :a, deps: d()]\n  defp d, do: []\n  defp d, do: []\nend',
    'computed',
    1,
  ],
  [
    'dependencies that call themselves',
    'defmodule A do\n  def project, do: [app: :a, deps: d()]\n  defp d, do: d()\nend',
    'computed',
    1,
  ],
] as const)('%s is a diagnostic', async ([, content, kind, count]) => {
  const { packages, diagnostics } = await manifestsOf({ 'mix.exs': content });
  expect(diagnostics.map((each) => each.kind)).toEqual([kind]);
  expect(packages).toHaveLength(count);
});
