import { expect, test } from 'vitest';
import { manifestsOf, shown } from '../../../support/workspace/manifest-repository.ts';

test('a module: required ones, what replaces them, and what only others need', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'go.mod': `module example.com/app // the app

go 1.24
toolchain go1.24.1

require example.com/one v1.2.3
require (
\texample.com/two/v2 v2.0.0 // indirect
\t"example.com/three" v0.0.0-20240101000000-abcdefabcdef // indirect; but kept
\texample.com/four v1.0.0 // used
)

replace example.com/one => ../one
replace (
\texample.com/two/v2 v2.0.0 => example.com/fork/v2 v2.0.1
\texample.com/four v1.9.9 => ./four
)
exclude example.com/one v1.0.0
retract [v0.1.0, v0.2.0] // broken
tool example.com/four/cmd
`,
  });
  expect(diagnostics).toEqual([]);
  expect(packages).toHaveLength(1);
  expect(packages[0]).toMatchObject({ ecosystem: 'go', name: 'example.com/app', version: null, path: '.' });
  expect(packages[0]?.dependencies.map((each) => `${each.line} ${shown(each)}`)).toEqual([
    '6 normal | example.com/one | v1.2.3 | path | ../one',
    '8 normal | example.com/fork/v2 as example.com/two/v2 | v2.0.1 | registry | - | indirect',
    '9 normal | example.com/three | v0.0.0-20240101000000-abcdefabcdef | registry | - | indirect',
    '10 normal | example.com/four | v1.0.0 | registry | -',
  ]);
  expect(packages[0]?.dependencies[1]?.raw).toBe('example.com/two/v2 v2.0.0');
});

test('all modules of a repository, and those that go.work uses', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'go.work': 'go 1.24\nuse (\n\t.\n\t./api\n\t./gone\n)\nreplace example.com/x => ./x\n',
    'go.mod':
      'module example.com/app\nrequire (\n\texample.com/app/api v1.0.0\n\texample.com/x v1.0.0\n)\nreplace example.com/app/api => ./other\n',
    'api/go.mod': 'module example.com/app/api\n',
    'sdk/go.mod': 'module example.com/app/sdk\n',
    'testdata/t/go.mod': 'module t\n',
    '_tools/go.mod': 'module tools\n',
    'vendor/v/go.mod': 'module v\n',
  });
  expect(packages.map(({ name, path }) => [name, path])).toEqual([
    ['example.com/app', '.'],
    ['example.com/app/api', 'api'],
    ['example.com/app/sdk', 'sdk'],
  ]);
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'normal | example.com/app/api | v1.0.0 | workspace | -',
    'normal | example.com/x | v1.0.0 | path | ./x',
  ]);
  expect(diagnostics.map(({ kind, file, line }) => [kind, file, line])).toEqual([['unresolved', 'go.work', 5]]);
});

test.for([
  ['an unknown directive', 'module a\nimport b', 'syntax', 2],
  ['a missing word', 'module a\nrequire b', 'syntax', 2],
  ['a block without an end', 'module a\nrequire (\nb v1.0.0', 'syntax', 3],
  ['a string without an end', 'module "a', 'syntax', 1],
  ['a replacement without an arrow', 'module a\nreplace b v1.0.0 c', 'syntax', 2],
  ['a comment of another kind', 'module a\n/* no */', 'syntax', 2],
  ['no module', 'go 1.24', 'invalid', null],
] as const)('%s is a diagnostic', async ([, content, kind, line]) => {
  const { diagnostics } = await manifestsOf({ 'go.mod': content });
  expect(diagnostics.map((each) => [each.kind, each.line])).toEqual([[kind, line]]);
});
