import { describe, expect, test } from 'vitest';
import { checkYaml } from '../../../activities/shared/checked-yaml.ts';
import { parseElixirLiteral } from '../../../domain/workspace/elixir-literal.ts';
import { workspaceManifestSchema } from '../../../domain/workspace/workspace-manifest.schema.ts';
import { namesOfPaths } from '../../../domain/workspace/workspace-manifest.ts';

const read = (text: string) => checkYaml(workspaceManifestSchema, text, 'w.yaml');

describe('longhaul.workspace.yaml', () => {
  test('names, paths and branches are filled in', () => {
    const { value, problems } = read(`
branch: feature/login
repositories:
  - { origin: "https://git.example/acme/api.git", setup: [[npm, ci]] }
  - { path: libs/core, role: read }
  - { name: web, branch: main, commands: { test: [npm, test] } }
links: [{ from: web, to: core }]
environment: { CI: "1" }
ttl: 2h
`);
    expect(problems).toEqual([]);
    const rest = { setup: [], commands: {} };
    expect(value).toEqual({
      repositories: [
        {
          name: 'api',
          path: 'api',
          origin: 'https://git.example/acme/api.git',
          branch: 'feature/login',
          role: 'write',
          setup: [['npm', 'ci']],
          commands: {},
        },
        { name: 'core', path: 'libs/core', origin: null, branch: null, role: 'read', ...rest },
        {
          name: 'web',
          path: 'web',
          origin: null,
          branch: 'main',
          role: 'write',
          ...rest,
          commands: { test: ['npm', 'test'] },
        },
      ],
      links: [{ from: 'web', to: 'core', type: 'path' }],
      environment: { CI: '1' },
      ttl: '2h',
    });
  });

  test.each([
    ['repositories: []', 'w.yaml:1: repositories: give at least one repository.'],
    ['repositories: [{ role: write }]', 'w.yaml:1: repositories.0: give a name, a path or an origin.'],
    [
      'repositories: [{ path: ../x }]',
      'w.yaml:1: repositories.0.path must be a folder below the root, such as libs/core.',
    ],
    [
      'repositories: [{ path: /x }]',
      'w.yaml:1: repositories.0.path must be a folder below the root, such as libs/core.',
    ],
    [
      'repositories: [{ path: a/.git }]',
      'w.yaml:1: repositories.0.path must be a folder below the root, such as libs/core.',
    ],
    ['repositories: [{ name: a, origin: --upload-pack=x }]', 'origin: give an address that git can clone from'],
    [
      'repositories:\n  - name: a\n  - name: a\n    path: b',
      'w.yaml:3: repositories.1: there are two repositories with the name a.',
    ],
    [
      'repositories: [{ name: a }, { name: b, path: a/b }]',
      'w.yaml:1: repositories.1: a/b is not a folder of its own: a is at a.',
    ],
    [
      'repositories: [{ name: a, path: x/y }, { name: b, path: x }, { name: c, path: x-1 }]',
      'w.yaml:1: repositories.0: x/y is not a folder of its own: b is at x.',
    ],
    ['repositories: [{ name: a }]\nlinks:\n  - { from: a, to: b }', 'w.yaml:3: links.0.to: there is no repository b.'],
    [
      'repositories: [{ name: a }]\nlinks: [{ from: a, to: a }]',
      'w.yaml:2: links.0: a repository cannot be linked to itself.',
    ],
    ['repositories: [{ name: a, brnch: x }]', 'unknown key "repositories.0.brnch"; did you mean "branch"'],
    [
      'repositories: [{ name: a, branch: "a..b" }]',
      'w.yaml:1: repositories.0.branch must be the name of a branch, such as feature/login.',
    ],
    ['repositories: [{ name: a }]\nttl: soon', 'w.yaml:2: ttl: give minutes, hours or days, such as 90m, 2h or 3d.'],
  ])('%s is refused', (text, problem) => {
    const { problems } = read(text);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});

describe('a literal of Elixir', () => {
  test('is read without running it', () => {
    const text = `# siblings
%{
  root: ".", # here
  siblings: [
    %{name: :jido_ai, path: "jido_ai", origin: "https://git.example/jido_ai"},
    %{"name" => :"req-llm", :path => "a\\"b\\n#x", list: [1, -2_000, true, false, nil], kw: [a: 1, b: []],},
  ]
}
`;
    expect(parseElixirLiteral(text, 'graft.exs')).toEqual({
      root: '.',
      siblings: [
        { name: 'jido_ai', path: 'jido_ai', origin: 'https://git.example/jido_ai' },
        { name: 'req-llm', path: 'a"b\n#x', list: [1, -2000, true, false, null], kw: { a: 1, b: [] } },
      ],
    });
  });

  test.each([
    ['%{a: f()}', 'graft.exs:1: this is computed'],
    ['%{\n  a: System.get_env("X")}', 'graft.exs:2: this is computed'],
    ['%{a: "#{x}"}', 'graft.exs:1: this is computed'],
    ['%{a: 1 + 1}', 'graft.exs:1: "," or "}" is missing here.'],
    ['%{a: 1, a: 2}', 'graft.exs:1: the key a is there twice.'],
    ['%{1 => 2}', 'graft.exs:1: a key must be an atom or a text.'],
    ['%{:a}', 'graft.exs:1: a key is missing here.'],
    ['[1', 'graft.exs:1: "," or "]" is missing here.'],
    ['%{}\nx', 'graft.exs:2: nothing may follow the first value.'],
    ['[1.5]', 'graft.exs:1: this is computed'],
    ['['.repeat(60), 'graft.exs:1: it has more than 50 levels.'],
    ['', 'graft.exs:1: this is computed'],
  ])('%s is refused with its line', (text, problem) => {
    expect(() => parseElixirLiteral(text, 'graft.exs')).toThrow(problem);
  });
});

test('repositories are named by the end of their path, and by all of it where several end alike', () => {
  expect(namesOfPaths(['acme/api', 'tools', 'other/api']).map(({ name }) => name)).toEqual([
    'acme.api',
    'tools',
    'other.api',
  ]);
});
