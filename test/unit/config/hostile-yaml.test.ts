import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { longhaul } from '../../support/command.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Far above what the documents need, and far below what reading them in quadratic time or whole takes. */
const CPU_SECONDS = 30;
const HEAP_MEBIBYTES = 256;

const times = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('');
/** Nine lists, each with the one before nine times: a thousand million values. */
const billion = `l0: &l0 [lol]\n${times(9, (at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]\n`)}`;

type Documents = Readonly<Record<string, readonly [text: string, message: RegExp]>>;

/** Documents of about this many keys, values or aliases, with the message about each. */
const hostile = (keys: number): Documents => ({
  wide: [times(keys, (at) => `k${at}: 1\n`), /:1: unknown key "k0"/],
  'wide in one line': [`{${times(keys, (at) => `k${at}: 1,`)}}`, /:1: unknown key "k0"/],
  'wide below a key': [`version:\n${times(keys, (at) => ` k${at}: 1\n`)}`, /version/],
  'wide with a repeated key': [
    `${times(keys, (at) => `k${at}: 1\n`)}k7: 2`,
    new RegExp(`:${keys + 1}: the key "k7" is not unique`),
  ],
  'deep lists': ['['.repeat(keys), /:1: it has more than 100 levels/],
  'deep lists that end': [`${'['.repeat(150)}${']'.repeat(150)}`, /:1: it has more than 100 levels/],
  'deep mappings': [times(500, (at) => `${' '.repeat(at)}a:\n`), /levels/],
  'deep keys': ['? '.repeat(keys), /levels/],
  'nested in one line': ['a: '.repeat(keys), /:1: /],
  'a billion values': [billion, /aliases/],
  'many aliases': [times(keys / 4, (at) => `- &a${at} 1\n- *a${at}\n`), /:102: there are more than 50 aliases/],
  'merged mappings': [
    `a0: &a0 { x: 1 }\n${times(keys / 10, (at) => `a${at + 1}: &a${at + 1} { <<: *a${at} }\n`)}`,
    /aliases/,
  ],
  'a mapping in itself': ['models: &a { b: *a }', /:1: the alias \*a refers to what contains it/],
  'many errors': ['\t@\n'.repeat(keys), /:1: Tabs/],
});

function casesOf(
  reader: string,
  documents: Documents,
): [reader: string, name: string, text: string, message: RegExp][] {
  return Object.entries(documents).map(([name, [text, message]]) => [reader, name, text, message]);
}

/** A process that reads each document with the reader that its name ends with. */
const SCRIPT = `
  import { readFileSync } from 'node:fs';
  import { loadConfig } from '${ROOT}/activities/shared/config.ts';
  import { parseSyncGroups, readDeclaration } from '${ROOT}/activities/catalog/groups/sync-groups-file.ts';
  const readers = {
    configuration: (path) => loadConfig({ path, env: {} }),
    groups: (file) => parseSyncGroups(readDeclaration(file), { file, providers: [] }),
  };
  for (const { reader, path } of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
    try {
      readers[reader](path);
      console.log(JSON.stringify(['accepted', path]));
    } catch ({ type, message }) {
      console.log(JSON.stringify([type, message]));
    }
  }
`;

test(
  'wide, deep and aliased YAML, and 50 MB of it, is one message from each reader, within bounds',
  { timeout: 300_000 },
  async () => {
    const folder = scratchFolder();
    const cases = [
      ...casesOf('configuration', { ...hostile(8_000), '45,000 keys': [times(45_000, (at) => `k${at}: 1\n`), /"k0"/] }),
      ...casesOf('groups', hostile(4_000)),
      ...['configuration', 'groups'].flatMap((reader) =>
        casesOf(reader, { '50 MB': [`# ${'x'.repeat(50_000_000)}`, /is larger than \d+ bytes/] }),
      ),
    ];
    const files = cases.map(([reader, name, text], at) => {
      const path = join(folder, `${at}.yaml`);
      writeFileSync(path, text);
      return { reader, name, path };
    });
    const list = join(folder, 'files.json');
    writeFileSync(list, JSON.stringify(files));
    const run = `ulimit -t ${CPU_SECONDS}; exec "$0" --max-old-space-size=${HEAP_MEBIBYTES} --input-type=module-typescript -e "$1" "$2"`;
    const { stdout } = await execa('sh', ['-c', run, process.execPath, SCRIPT, list], { cwd: folder });
    const said = stdout.split('\n').map((line) => JSON.parse(line) as [string, string]);
    expect(said).toHaveLength(cases.length);
    for (const [at, [reader, name, , expected]] of cases.entries()) {
      const [type, message = ''] = said[at] ?? [];
      expect(type, `${reader}: ${name}`).toBe('InvalidConfiguration');
      expect(message, `${reader}: ${name}`).toMatch(expected);
      expect(message.length).toBeLessThan(5_000);
      // the declaration lists up to twenty problems
      expect(message.split('\n').length).toBeLessThanOrEqual(reader === 'configuration' ? 1 : 21);
    }
  },
);

test('longhaul config apply refuses a file of 50 MB with one sentence', async () => {
  const file = join(scratchFolder(), 'groups.yaml');
  writeFileSync(file, `# ${'x'.repeat(50_000_000)}`);
  const { exitCode, stderr } = await longhaul({ HOME: scratchFolder() }, [
    'config',
    'apply',
    '--file',
    file,
    '--dry-run',
  ]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${file}: the file is larger than 200000 bytes.`);
});
