import { expect, test } from 'vitest';
import { ofPoetry } from '../../../../activities/workspace/manifests/python-requirement.ts';
import { manifestsOf, shown } from '../../../support/workspace/manifest-repository.ts';

test('a project: requirements, extras, groups, what the build needs, and the sources of uv', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'pyproject.toml': `[build-system]
requires = ["hatchling>=1.20"]
[project]
name = "My_App"
version = "1.0.0"
dependencies = [
  "Plain",
  "ranged[extra] >=1.0, <2 ; python_version < '3.12'",
  "here @ file:///somewhere/here",
  "there @ git+https://example.com/there.git@main",
  "archive @ https://example.com/a.tar.gz",
  "in.path",
  "in-workspace ~= 1.4",
]
[project.optional-dependencies]
test = ["pytest==8.*"]
[dependency-groups]
dev = ["ruff", {include-group = "docs"}]
docs = ["sphinx!=7.0"]
[tool.uv.sources]
in-path = { path = "../in-path", editable = true }
In_Workspace = { workspace = true }
`,
  });
  expect(diagnostics).toEqual([]);
  expect(packages[0]).toMatchObject({ ecosystem: 'python', name: 'my-app', version: '1.0.0', path: '.' });
  expect(packages[0]?.dependencies.map((each) => `${each.line} ${shown(each)}`)).toEqual([
    '2 build | hatchling | >=1.20 | registry | -',
    '7 normal | plain | * | registry | -',
    '8 normal | ranged | >=1.0,<2 | registry | -',
    '9 normal | here | - | path | /somewhere/here',
    '10 normal | there | - | git | git+https://example.com/there.git@main',
    '11 normal | archive | - | url | https://example.com/a.tar.gz',
    '12 normal | in-path | * | path | ../in-path',
    '13 normal | in-workspace | ~=1.4 | workspace | -',
    '16 optional | pytest | ==8.* | registry | -',
    '18 dev | ruff | * | registry | -',
    '19 dev | sphinx | !=7.0 | registry | -',
  ]);
});

test('members of a uv workspace, which take its sources', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'pyproject.toml': `[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/x"]
[tool.uv.sources]
b = { workspace = true }
c = { path = "vendored/c" }
d = [{ index = "one", marker = "sys_platform == 'linux'" }, { git = "https://example.com/d" }]
`,
    'packages/a/pyproject.toml': '[project]\nname = "a"\ndependencies = ["b", "c", "d"]\ndynamic = ["version"]\n',
    'packages/b/pyproject.toml': '[project]\nname = "b"\nversion = "1"\n',
    'packages/x/pyproject.toml': '[project]\nname = "x"\n',
    'other/pyproject.toml': '[project]\nname = "other"\n',
  });
  expect(packages.map(({ name, version }) => [name, version])).toEqual([
    ['a', null],
    ['b', '1'],
  ]);
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'normal | b | * | workspace | -',
    'normal | c | * | path | ../../vendored/c',
    'normal | d | * | unknown | -',
  ]);
  expect(new Set(diagnostics.map(({ kind, file, line }) => `${kind} ${file}:${line}`))).toEqual(
    new Set(['computed packages/a/pyproject.toml:4', 'computed pyproject.toml:7']),
  );
});

test('a project of Poetry, also where [project] leaves its dependencies to it', async () => {
  const tables = `[tool.poetry.dependencies]
python = "^3.10"
caret = "^1.2"
table = { version = "~2.1", optional = true }
here = { path = "../here", develop = true }
there = { git = "https://example.com/there.git" }
many = [{ version = "1", python = "<3.9" }, { version = "2" }]
[tool.poetry.group.dev.dependencies]
tested = "*"
`;
  const dependencies = [
    'normal | caret | >=1.2,<2 | registry | -',
    'optional | table | >=2.1,<2.2 | registry | -',
    'normal | here | - | path | ../here',
    'normal | there | - | git | https://example.com/there.git',
    'normal | many | - | unknown | -',
    'dev | tested | * | registry | -',
  ];
  const old = await manifestsOf({ 'pyproject.toml': `[tool.poetry]\nname = "old"\nversion = "0.1.0"\n${tables}` });
  expect(old.packages[0]).toMatchObject({ name: 'old', version: '0.1.0' });
  expect(old.packages[0]?.dependencies.map(shown)).toEqual(dependencies);
  expect(old.diagnostics.map(({ kind, line }) => [kind, line])).toEqual([['computed', 10]]);

  const project = '[project]\nname = "new"\ndynamic = ["version", "dependencies"]\n';
  const left = await manifestsOf({ 'pyproject.toml': `${project}[tool.poetry]\nversion = "2.0"\n${tables}` });
  expect(left.packages[0]).toMatchObject({ name: 'new', version: '2.0' });
  expect(left.packages[0]?.dependencies.map(shown)).toEqual(dependencies);
});

test.for([
  ['*', '*'],
  ['1.2.3', '==1.2.3'],
  ['^1.2.3', '>=1.2.3,<2'],
  ['^0.2.3', '>=0.2.3,<0.3'],
  ['^0.0.3', '>=0.0.3,<0.0.4'],
  ['^0.0', '>=0.0,<0.1'],
  ['^0', '>=0,<1'],
  ['~1.2.3', '>=1.2.3,<1.3'],
  ['~1', '>=1,<2'],
  ['~=1.4', '~=1.4'],
  ['1.*', '==1.*'],
  ['>=1,<2', '>=1,<2'],
  ['>=1 <2', '>=1,<2'],
  ['^1.0 || ^2.0', '^1.0 || ^2.0'],
] as const)('the constraint %s of Poetry is %s', ([constraint, specifier]) => {
  expect(ofPoetry(constraint)).toBe(specifier);
});

test.for([
  ['no requirement', '[project]\nname = "a"\ndependencies = [\n"a b"]', 'invalid', 4],
  ['a file of requirements', '[project]\nname = "a"\ndependencies = ["-r other.txt"]', 'invalid', 3],
  ['a number', '[project]\nname = "a"\ndependencies = [1]', 'invalid', 3],
  ['a syntax error', '[project]\nname = ', 'syntax', 2],
  ['computed dependencies', '[project]\nname = "a"\ndynamic = ["dependencies"]', 'computed', 3],
] as const)('%s is a diagnostic', async ([, content, kind, line]) => {
  const { diagnostics } = await manifestsOf({ 'pyproject.toml': content });
  expect(diagnostics.map((each) => [each.kind, each.line])).toEqual([[kind, line]]);
});

test('a file that only configures tools is no package', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'pyproject.toml': '[build-system]\nrequires = ["setuptools"]\n[tool.black]\nline-length = 100\n',
  });
  expect([packages, diagnostics]).toEqual([[], []]);
});
