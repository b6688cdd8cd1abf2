import { expect, test } from 'vitest';
import { manifestsOf, shown } from '../../../support/workspace/manifest-repository.ts';

test('a crate: the sections of its dependencies, also for targets, with lines and texts', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'Cargo.toml': `[package]
name = "app"
version = "0.3.0"

[dependencies]
plain = "1.2"
table = { version = "=2.0.0", features = ["x"], optional = true }
"renamed-here" = { package = "other", version = "1" }
here = { path = "../here", version = "0.1" }
there = { git = "https://example.com/there.git", branch = "main" }
dotted.version = "3"
dotted.default-features = false

[dependencies.long]
version = "4"
features = [
  "a",
]

[dev-dependencies]
tested = ">=1, <2"

[build-dependencies]
built = "*"

[target.'cfg(unix)'.dependencies]
nix = "0.29"
`,
  });
  expect(diagnostics).toEqual([]);
  expect(packages[0]).toMatchObject({ ecosystem: 'cargo', name: 'app', version: '0.3.0', path: '.' });
  expect(packages[0]?.dependencies.map((each) => `${each.line} ${shown(each)}`)).toEqual([
    '6 normal | plain | 1.2 | registry | -',
    '7 optional | table | =2.0.0 | registry | -',
    '8 normal | other as renamed-here | 1 | registry | -',
    '9 normal | here | 0.1 | path | ../here',
    '10 normal | there | - | git | https://example.com/there.git',
    '11 normal | dotted | 3 | registry | -',
    '14 normal | long | 4 | registry | -',
    '21 dev | tested | >=1, <2 | registry | -',
    '24 build | built | * | registry | -',
    '27 normal | nix | 0.29 | registry | -',
  ]);
  const raw = packages[0]?.dependencies.map((each) => each.raw);
  expect(raw?.[0]).toBe('"1.2"');
  expect(raw?.[1]).toBe('{ version = "=2.0.0", features = ["x"], optional = true }');
  expect(raw?.[5]).toBe('dotted.version = "3"\ndotted.default-features = false');
  expect(raw?.[6]).toBe('[dependencies.long]\nversion = "4"\nfeatures = [\n  "a",\n]');
});

test('members, also those that are only named by path, and what they take from the workspace', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'Cargo.toml': `[workspace]
members = ["crates/*", "gone"]
exclude = ["crates/c"]
[workspace.package]
version = "2.1.0"
[workspace.dependencies]
shared = "1.5"
b = { path = "crates/b", version = "2" }
`,
    'crates/a/Cargo.toml': `[package]
name = "a"
version.workspace = true
[dependencies]
shared = { workspace = true, optional = true }
b.workspace = true
d = { path = "../../extra/d" }
absent = { workspace = true }
`,
    'crates/b/Cargo.toml': '[package]\nname = "b"\n',
    'crates/c/Cargo.toml': '[package]\nname = "c"\n',
    'extra/d/Cargo.toml': '[package]\nname = "d"\nversion = { workspace = true }\n',
    'extra/e/Cargo.toml': '[package]\nname = "e"\n',
  });
  expect(packages.map(({ name, version, path }) => [name, version, path])).toEqual([
    ['a', '2.1.0', 'crates/a'],
    ['b', '0.0.0', 'crates/b'],
    ['d', '2.1.0', 'extra/d'],
  ]);
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'optional | shared | 1.5 | registry | -',
    'normal | b | 2 | path | ../b',
    'normal | d | - | path | ../../extra/d',
    'normal | absent | - | unknown | -',
  ]);
  expect(diagnostics.map(({ kind, file, line }) => [kind, file, line])).toEqual([
    ['unresolved', 'Cargo.toml', 2],
    ['unresolved', 'crates/a/Cargo.toml', 8],
  ]);
});

test.for([
  ['a syntax error', '[package\nname = 1', 'syntax', 1],
  ['a key twice', '[package]\nname = "a"\nname = "b"', 'syntax', 3],
  ['a table twice', '[package]\nname = "a"\n[package]', 'syntax', 3],
  ['no package and no workspace', 'x = 1', 'invalid', null],
  ['no name', '[package]\nversion = "1.0.0"', 'invalid', 1],
  ['a requirement that is a number', '[package]\nname = "a"\n[dependencies]\n\nb = 1', 'invalid', 5],
] as const)('%s is a diagnostic', async ([, content, kind, line]) => {
  const { diagnostics } = await manifestsOf({ 'Cargo.toml': content });
  expect(diagnostics.map((each) => [each.kind, each.line])).toEqual([[kind, line]]);
});

test('lines after texts, comments and lists that look like something else', async () => {
  const { packages } = await manifestsOf({
    'Cargo.toml': `# [dependencies]
[package]
name = "a"
description = """
[dependencies]
x = "1" \\"""
"""
other = '''
y = "1"''' # z = "2"
list = [ "]", '[', # ]
  [ "a" ], { b = "}" } ]
number = 1_000 # x
[dependencies] # here
"quoted.key" = '1'
'literal' = "2"
spaced . version = "3"
`,
  });
  expect(packages[0]?.dependencies.map(({ line, raw }) => [line, raw])).toEqual([
    [14, "'1'"],
    [15, '"2"'],
    [16, 'spaced . version = "3"'],
  ]);
});
