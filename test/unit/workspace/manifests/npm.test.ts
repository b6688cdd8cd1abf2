import { expect, test } from 'vitest';
import { manifestsOf, shown } from '../../../support/workspace/manifest-repository.ts';

const text = (value: unknown): string => JSON.stringify(value, null, 2);

test('a package: name, version, and its dependencies in the order of the file', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'package.json': text({
      name: '@acme/app',
      version: '1.2.3',
      dependencies: { ranged: '^1.0.0', any: '', tagged: 'next', both: '1.x' },
      devDependencies: { peer: '~2.0.0', aliased: 'npm:@acme/other@^3.0.0' },
      peerDependencies: { peer: '>=2' },
      optionalDependencies: { both: '1.x' },
    }),
  });
  expect(diagnostics).toEqual([]);
  expect(packages).toHaveLength(1);
  expect(packages[0]).toMatchObject({ ecosystem: 'npm', name: '@acme/app', version: '1.2.3', path: '.' });
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'normal | ranged | ^1.0.0 | registry | -',
    'normal | any | * | registry | -',
    'normal | tagged | next | registry | -',
    'dev | peer | ~2.0.0 | registry | -',
    'dev | @acme/other as aliased | ^3.0.0 | registry | -',
    'peer | peer | >=2 | registry | -',
    'optional | both | 1.x | registry | -',
  ]);
  expect(packages[0]?.dependencies.map(({ line }) => line)).toEqual([5, 6, 7, 11, 12, 15, 18]);
});

test('where a dependency comes from', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'package.json': text({
      dependencies: {
        a: 'file:../a',
        b: '../b',
        c: 'link:./c',
        d: 'file:d-1.0.0.tgz',
        e: 'acme/e',
        f: 'github:acme/f#semver:^1.0.0',
        g: 'git+ssh://git@example.com/acme/g.git#main',
        h: 'https://example.com/h.tgz',
        i: 'workspace:^1.2.0',
        j: 'workspace:*',
        k: 'workspace:../k',
        l: 'workspace:other@~1.0.0',
        m: 'nonsense://x',
      },
    }),
  });
  expect(packages[0]?.dependencies.map(shown)).toEqual([
    'normal | a | - | path | ../a',
    'normal | b | - | path | ../b',
    'normal | c | - | path | ./c',
    'normal | d | - | path | d-1.0.0.tgz',
    'normal | e | - | git | acme/e',
    'normal | f | ^1.0.0 | git | github:acme/f#semver:^1.0.0',
    'normal | g | - | git | git+ssh://git@example.com/acme/g.git#main',
    'normal | h | - | url | https://example.com/h.tgz',
    'normal | i | ^1.2.0 | workspace | -',
    'normal | j | * | workspace | -',
    'normal | k | - | workspace | ../k',
    'normal | other as l | ~1.0.0 | workspace | -',
    'normal | m | - | unknown | -',
  ]);
  expect(diagnostics).toEqual([
    {
      kind: 'invalid',
      file: 'package.json',
      line: 15,
      message: 'm: npm has no requirements of the form "nonsense://x".',
    },
  ]);
});

test('members of a workspace, as npm and Yarn name them, without what is removed', async () => {
  const files = (workspaces: unknown): Record<string, string> => ({
    'package.json': text({ name: 'root', workspaces }),
    'packages/a/package.json': text({ name: 'a' }),
    'packages/b/package.json': text({ name: 'b' }),
    'packages/a/test/fixture/package.json': text({ name: 'fixture' }),
    'packages/a/node_modules/copy/package.json': text({ name: 'copy' }),
    'website/package.json': text({ name: 'website' }),
  });
  const names = async (workspaces: unknown): Promise<unknown[]> =>
    (await manifestsOf(files(workspaces))).packages.map(({ name }) => name);
  expect(await names(['packages/*'])).toEqual(['root', 'a', 'b']);
  expect(await names(['./packages/a/', 'website'])).toEqual(['root', 'a', 'website']);
  expect(await names({ packages: ['packages/**', '!packages/b'] })).toEqual(['root', 'a', 'fixture']);
  expect(await names(['packages/**', '!**/fixture', '!packages/{b,c}'])).toEqual(['root', 'a']);
  expect(await names(undefined)).toEqual(['root']);
});

test('without a manifest at the root, the outermost ones, but no copies and test data', async () => {
  const { packages } = await manifestsOf({
    'frontend/package.json': text({ name: 'frontend', workspaces: ['lib'] }),
    'frontend/lib/package.json': text({ name: 'lib' }),
    'frontend/other/package.json': text({ name: 'other' }),
    'node_modules/copy/package.json': text({ name: 'copy' }),
    'server/fixtures/x/package.json': text({ name: 'x' }),
    'tools/cli/package.json': text({ name: 'cli' }),
  });
  expect(packages.map(({ name, path }) => [name, path])).toEqual([
    ['frontend', 'frontend'],
    ['lib', 'frontend/lib'],
    ['cli', 'tools/cli'],
  ]);
});

test('members and catalogs of pnpm', async () => {
  const { packages, diagnostics } = await manifestsOf({
    'package.json': text({ name: 'root', workspaces: ['ignored'] }),
    'ignored/package.json': text({ name: 'ignored' }),
    'packages/a/package.json': text({
      name: 'a',
      dependencies: { react: 'catalog:', vue: 'catalog:old', absent: 'catalog:none' },
    }),
    'pnpm-workspace.yaml':
      'packages:\n  - packages/*\n  - "!packages/x"\ncatalog:\n  react: ^19.0.0\ncatalogs:\n  old:\n    vue: ^2.0.0\n',
  });
  expect(packages.map(({ name }) => name)).toEqual(['root', 'a']);
  expect(packages[1]?.dependencies.map(shown)).toEqual([
    'normal | react | ^19.0.0 | registry | -',
    'normal | vue | ^2.0.0 | registry | -',
    'normal | absent | - | unknown | -',
  ]);
  expect(packages[1]?.dependencies[0]?.raw).toBe('catalog:');
  expect(diagnostics.map(({ kind, file, line }) => [kind, file, line])).toEqual([
    ['unresolved', 'packages/a/package.json', 6],
  ]);
});

test.for([
  ['a comment', '{\n// no\n"name": "a"}', 'syntax', 2, 0],
  ['a trailing comma', '{"name": "a",\n}', 'syntax', 2, 0],
  ['an empty file', '', 'syntax', 1, 0],
  ['a list', '[]', 'invalid', 1, 0],
  ['a number as a name', '{"name": 5}', 'invalid', 1, 1],
  ['dependencies in a list', '{"name": "a",\n"dependencies": []}', 'invalid', 2, 1],
  ['a requirement that is an object', '{"dependencies": {\n"a": {}}}', 'invalid', 2, 1],
  ['workspaces in a string', '{"workspaces": "a"}', 'invalid', 1, 1],
  ['a key twice', '{"name": "a",\n"name": "b"}', 'duplicate', 2, 1],
] as const)('%s is a diagnostic with its line', async ([, content, kind, line, count]) => {
  const { packages, diagnostics } = await manifestsOf({ 'package.json': content });
  expect(diagnostics.map((each) => [each.kind, each.line])).toEqual([[kind, line]]);
  expect(packages).toHaveLength(count);
});

test('of a key that is given twice the last one counts, and a byte order mark is ignored', async () => {
  const { packages } = await manifestsOf({ 'package.json': '\ufeff{"name": "a", "name": "b"}' });
  expect(packages[0]?.name).toBe('b');
});
