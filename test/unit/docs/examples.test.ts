import { beforeAll, describe, expect, test } from 'vitest';
import { EVENTS } from '../../../domain/shared/events.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { CATALOG_FILES } from '../../support/catalog/files.ts';
import { WORKSPACE_FILES } from '../../support/workspace/files.ts';
import { checkFlowInput, checkYaml, compile, type Source } from '../../support/docs/examples.ts';
import { readPage, readPages, ROOT } from '../../support/docs/markdown.ts';
import type { Page } from '../../support/docs/markdown.ts';
import { createShellReader } from '../../support/docs/shell.ts';

/**
 * The type of each JSON example, by its document and its place there; of files that are not ours, only the syntax is
 * known.
 */
const JSON_TYPES: Readonly<Record<string, readonly string[]>> = {
  'docs/events.md': ['lines of the log'],
  'docs/flows.md': ['CatalogFleetResult', "Pick<CatalogFleetResult, 'verification'>"],
  'docs/forge-limits.md': ['ForgeBudgetStatus'],
  'docs/gateway.md': ['{ delivery: string; followed: string[] }'],
  'docs/mcp.md': ['McpServers', 'VsCodeServers'],
  'docs/observability.md': ['Readiness'],
  'docs/workspaces.md': ['Intent'],
};

const PRELUDE = [
  "import type { CatalogFleetResult } from '#root/domain/catalog/flows/fleet.ts';",
  "import type { EventFields } from '#root/domain/shared/events.ts';",
  "import type { Intent } from '#root/domain/workspace/intent/intent.ts';",
  "import type { ForgeBudgetStatus } from '#root/domain/forge/forge-budget.ts';",
  'type Line = { timestamp: string; level: string; event: string };',
  'type Readiness = { ready: boolean; checks: ({ name: string; ok: true } | { name: string; ok: false; reason: string })[] };',
  "type Longhaul<Fields> = { longhaul: Fields & { command: 'npx'; args: ['longhaul', 'mcp'] } };",
  'type McpServers = { mcpServers: Longhaul<object> };',
  "type VsCodeServers = { servers: Longhaul<{ type: 'stdio' }> };",
].join(' ');

let shell: Awaited<ReturnType<typeof createShellReader>>;
beforeAll(async () => {
  shell = await createShellReader();
});

/**
 * Examples of one document in YAML that are wrong, as `file:line: why`. Alternatives in one block are separated by `#
 * or`.
 */
function wrongYaml({ path, blocks }: Page): readonly string[] {
  return blocks
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ text, line }) =>
      text.split(/^# or$/m).flatMap((one) => {
        const why = checkYaml(one, { ...CATALOG_FILES, ...WORKSPACE_FILES });
        return why === null ? [] : [`${path}:${line}: ${why}`];
      }),
    );
}

/**
 * Inputs of flows in one document: in tables with a flow's name in the first column, in sentences, in commands and
 * requests.
 */
function flowInputs({ path, tables, blocks, codes }: Page): readonly { from: string; type: string; input: string }[] {
  const inTables = tables.flat().flatMap(([name = '', cell = '']) => {
    const type = /^`(\w+)`$/.exec(name)?.[1] ?? '';
    if (FLOWS.find(type) === null) return [];
    return [...cell.matchAll(/`(\{[^`]*\})`/g)].map(([, input = '']) => ({ from: `${path} ${type}`, type, input }));
  });
  const inText = codes.flatMap(({ text, line }) => {
    const request = /^POST \/v1\/flows\/(\w+) (\{.*\})$/.exec(text);
    if (request !== null) return [{ from: `${path}:${line}`, type: request[1] ?? '', input: request[2] ?? '' }];
    return text.startsWith('{"document"') ? [{ from: `${path}:${line}`, type: 'applySyncGroups', input: text }] : [];
  });
  const inBlocks = blocks
    .filter(({ language }) => ['sh', 'bash'].includes(language))
    .flatMap(({ text, line }) =>
      shell(text).flatMap(({ words, line: at }) => {
        const after = (option: string): string | undefined => words[words.indexOf(option) + 1];
        const from = `${path}:${line + at + 1}`;
        if (words[0] === 'temporal' && words.includes('--input')) {
          return [{ from, type: after('--type') ?? '', input: after('--input') ?? '' }];
        }
        const url = words.find((word) => word.includes('/v1/flows/'));
        if (words[0] !== 'curl' || url === undefined) return [];
        return [{ from, type: url.split('/').at(-1) ?? '', input: after('-d') ?? '' }];
      }),
    );
  return [...inTables, ...inText, ...inBlocks];
}

function wrongInputs(page: Page): readonly string[] {
  return flowInputs(page).flatMap(({ from, type, input }) => {
    const why = checkFlowInput(type, input);
    return why === null ? [] : [`${from}: ${why}`];
  });
}

/** JSON examples of one document as constants of their types. */
function jsonSources({ path, blocks }: Page): readonly Source[] {
  return blocks
    .filter(({ language }) => language === 'json')
    .flatMap(({ text, line }, at) => {
      const type = JSON_TYPES[path]?.[at];
      const from = `${path}:${line}`;
      if (type !== 'lines of the log') return [{ from, text: `${PRELUDE}\nexport const example: ${type} = ${text};` }];
      return text
        .trim()
        .split('\n')
        .map((json) => {
          const { event, level } = JSON.parse(json) as { event: keyof typeof EVENTS; level: string };
          expect(EVENTS[event], from).toBe(level);
          return { from, text: `${PRELUDE}\nexport const example: Line & EventFields<'${event}'> = ${json};` };
        });
    });
}

const tsSources = ({ path, blocks }: Page): readonly Source[] =>
  blocks
    .filter(({ language }) => ['ts', 'typescript'].includes(language))
    // an example for contributors imports as a file at the root does
    .map(({ text, line }) => ({ from: `${path}:${line}`, text: text.replaceAll("from './", "from '#root/") }));

describe('examples in the documents', () => {
  test('every YAML example conforms to its schema', () => {
    const pages = readPages();
    expect(pages.flatMap(({ blocks }) => blocks).filter(({ language }) => language === 'yaml').length).toBeGreaterThan(
      8,
    );
    expect(pages.flatMap(wrongYaml)).toEqual([]);
  });

  test('every input of a flow conforms to the schema of the flow', () => {
    const inputs = readPages().flatMap(flowInputs);
    expect(new Set(inputs.map(({ type }) => type)).size).toBeGreaterThan(10);
    expect(readPages().flatMap(wrongInputs)).toEqual([]);
  });

  test('JSON and TypeScript examples compile against their types', { timeout: 120_000 }, async () => {
    const pages = readPages();
    for (const { path, blocks } of pages) {
      const count = blocks.filter(({ language }) => language === 'json').length;
      expect(JSON_TYPES[path]?.length ?? 0, `JSON_TYPES has a type for each JSON example of ${path}`).toBe(count);
    }
    const broken = readPage(
      'broken.md',
      "```ts\nimport { openSearch, nothing } from 'longhaul';\nawait openSearch(1);\n```\n",
    );
    const wrong: Source = {
      from: 'wrong.md:1',
      text: `${PRELUDE}\nexport const example: CatalogFleetResult = {"matched": 15};`,
    };
    const sources = [...pages.flatMap(jsonSources), ...pages.flatMap(tsSources)];
    expect(sources.length).toBeGreaterThan(9);
    // one run of the compiler: with two that are wrong, which must be found
    const messages = await compile(ROOT, [...sources, ...tsSources(broken), wrong]);
    const isWanted = (message: string): boolean => /^(broken|wrong)\.md/.test(message);
    expect(messages.filter((message) => !isWanted(message))).toEqual([]);
    expect(messages.filter(isWanted)).toEqual([
      expect.stringContaining("no exported member 'nothing'"),
      expect.stringContaining('broken.md:1(2,'),
      expect.stringContaining('wrong.md:1(2,'),
    ]);
  });

  test('invalid examples are reported with file and line', () => {
    const text = [
      '```yaml\nproviders:\n  - { name: work, type: githab }\n```',
      '```yaml\nversion: 1\ngroups:\n  - { name: a, schedule: "61 * * * *", patterns: ["a/*"] }\n```',
      '```yaml\nqueries:\n  - { question: x }\n```',
      '| flow | input |\n|---|---|\n| `syncRepository` | `{"repo": "a/b/c"}` |\n',
      '`POST /v1/flows/nothing {}`',
      '```sh\ntemporal workflow start --type onboardRepositories --input \'{"pattern": ["acme/*"]}\'\n```',
    ].join('\n\n');
    const page = readPage('x.md', text);
    expect(wrongYaml(page)).toEqual([
      expect.stringMatching(/^x\.md:1: .*type/),
      expect.stringMatching(/^x\.md:6: .*sync-groups\.yaml:3/),
      expect.stringMatching(/^x\.md:12: .*query/),
    ]);
    expect(wrongInputs(page)).toEqual([
      expect.stringMatching(/^x\.md syncRepository: .*repo/),
      'x.md:22: no flow is called nothing',
      'x.md:25: patterns is missing',
    ]);
  });
});
