import { fc } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { parseSyncGroups } from '../../../activities/catalog/groups/sync-groups-file.ts';
import { withoutEncodedData } from '../../../activities/index/analysis/encoded-data.ts';
import { parseYaml } from '../../../activities/shared/yaml-document.ts';
import { stems } from '../../../domain/catalog/search/identifiers.ts';
import { azureDevopsAction } from '../../../domain/forge/webhook/azure-devops.ts';
import { bitbucketAction } from '../../../domain/forge/webhook/bitbucket.ts';
import { githubAction } from '../../../domain/forge/webhook/github.ts';
import { gitlabAction } from '../../../domain/forge/webhook/gitlab.ts';
import { parseChangeLine } from '../../../domain/git/change-line.ts';
import { readableText } from '../../../domain/git/notebook.ts';
import { skipByContent } from '../../../domain/git/skip.ts';
import { anticipated } from '../../support/fuzz/anticipated.ts';
import { anyProgram } from '../../support/fuzz/any-program.ts';
import { FUZZ_TIMEOUT_MS, fuzzed } from '../../support/fuzz/settings.ts';
import { anyAttributes, anyPath, expectAnyAgreement } from '../../support/git-attributes.ts';

const LINE = JSON.stringify({
  repo: 'acme/api',
  repo_id: 'work/acme/api',
  op: 'rename',
  path: 'a.ts',
  path_base64: 'YS50cw==',
  old_path: 'b.ts',
  blob: 'a'.repeat(40),
  mode: '100644',
  old_blob: 'b'.repeat(40),
  size: 3,
  content: 'abc',
  content_hash: 'c'.repeat(64),
  language: 'C++',
});
const CHANGESET = JSON.stringify({
  repo: 'api',
  new_changeset: { commit: 'abc1', parent: null, branch: 'main', tree_hash: 'd'.repeat(40), timestamp: '2026-01-01' },
});
const JSON_TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  'null',
  'true',
  '-1',
  '1e999',
  '"op"',
  '"path"',
  '"\\ud800"',
  '\\u0000',
  '"content_ref"',
  '"/"',
  '"../x"',
  '"__proto__"',
];

test('a line of a change stream is read or named as wrong', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const text = anyProgram(JSON_TOKENS, [LINE, CHANGESET]);
  const object = fc.dictionary(
    fc.constantFrom(...Object.keys(JSON.parse(LINE) as object), 'new_changeset', 'skip_index'),
    fc.jsonValue(),
  );
  const line = fc.oneof(
    text,
    object.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(line, (one) => {
      expect(anticipated(() => parseChangeLine(one, 7), null, 'Line 7')?.line ?? 7).toBe(7);
    }),
    fuzzed,
  );
});

test('attributes are those of git', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const paths = fc.uniqueArray(anyPath, { minLength: 10, maxLength: 20 });
  const agreement = fc.asyncProperty(anyAttributes, anyAttributes, anyAttributes, paths, expectAnyAgreement);
  await expect(fc.assert(agreement, fuzzed)).resolves.toBeUndefined();
});

const PLACE = { url: 'https://devops.example.com', organizations: ['acme'] };
const WEBHOOK_KEYS =
  'action after before changes commits created default_branch deleted eventType event_name forced full_name links name namespace new new_name object_kind old ' +
  'old_path_with_namespace owner path path_with_namespace previousWorkspace previous_workspace project push ref ref_type refUpdates remoteUrl repository resource ' +
  'resourceContainers slug type url username';

test('a webhook has an action, whatever it contains', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const words = fc.oneof(
    fc.constantFrom(
      'push',
      'repo:push',
      'git.push',
      'project_rename',
      'renamed',
      'refs/heads/main',
      'acme/api',
      'https://dev.azure.com/a/b',
      '',
    ),
    fc.string(),
  );
  const { payload } = fc.letrec<{ payload: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(words, fc.boolean(), fc.constant(null), fc.double()),
    payload: fc.oneof(
      { maxDepth: 5 },
      tie('leaf'),
      fc.dictionary(fc.constantFrom(...WEBHOOK_KEYS.split(' ')), tie('payload'), { maxKeys: 8 }),
      fc.array(tie('payload'), { maxLength: 4 }),
    ),
  }));
  fc.assert(
    fc.property(words, payload, (event, body) => {
      for (const action of [
        githubAction(event, body),
        gitlabAction(body),
        bitbucketAction(event, body),
        azureDevopsAction(body, PLACE),
      ]) {
        expect(['follow', 'ignore', 'refuse']).toContain(action.do);
        const names = action.do === 'follow' ? action.changes.flatMap(({ name }) => name) : [];
        expect(names.filter((part) => typeof part !== 'string' || part === '')).toEqual([]);
      }
    }),
    fuzzed,
  );
});

const GROUPS = `version: 1
groups:
  - name: services
    patterns: ['acme/*']
    schedule: '*/5 * * * *'
    branches: [main, "release/*"]
`;
const YAML_TOKENS = [
  '- ',
  ': ',
  '&a ',
  '*a',
  '<<: ',
  '| ',
  '>-\n',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '!!binary ',
  '!<x> ',
  '? ',
  '---\n',
  '...\n',
  '%YAML 9\n',
  '#',
  '\t',
  'null',
  '~',
  '0x1f',
  '.nan',
  '2026-01-01',
  '__proto__',
  'name',
  'groups',
  'schedule',
];

test('YAML is read or named as wrong', { timeout: FUZZ_TIMEOUT_MS }, () => {
  fc.assert(
    fc.property(anyProgram(YAML_TOKENS, [GROUPS]), (text) => {
      const read = anticipated(() => parseYaml(text, 'f.yaml'), null, 'f.yaml');
      expect(read?.lineOf([]) ?? null).toBeNull();
      const reader = { file: 'f.yaml', providers: ['work'] };
      const { groups } = anticipated(() => parseSyncGroups(text, reader), { groups: [], warnings: [] }, 'f.yaml');
      expect(groups.filter(({ name }) => name === '')).toEqual([]);
    }),
    fuzzed,
  );
});

test('any content has a text, words and lines', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const marks = fc.constantFrom(
    [],
    [0xef, 0xbb, 0xbf],
    [0xff, 0xfe],
    [0xfe, 0xff],
    [0xff, 0xfe, 0, 0],
    [0, 0, 0xfe, 0xff],
  );
  const bytes = fc
    .tuple(marks, fc.uint8Array({ maxLength: 400 }))
    .map(([mark, rest]) => Uint8Array.from([...mark, ...rest]));
  const program = anyProgram(
    ['"cells"', '"source"', '漢字', 'かな', 'ไทย', 'data:a/b;base64,', 'QUJD'],
    ['{"cells":[{"cell_type":"code","source":["a"]}]}'],
  );
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        program.map((text) => Buffer.from(text)),
      ),
      (content) => {
        const { text } = readableText('a.ipynb', content);
        skipByContent('a.js', content);
        const kept = withoutEncodedData(text);
        expect(kept.split('\n')).toHaveLength(text.split('\n').length);
        for (const term of stems(kept)) expect(term).toMatch(/^[\p{L}\p{N}]+$/u);
      },
    ),
    fuzzed,
  );
});
