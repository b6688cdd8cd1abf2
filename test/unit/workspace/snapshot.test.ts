import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import { topologyOf } from '../../../domain/workspace/topology.ts';
import { readSnapshot, snapshotSchema } from '../../../domain/workspace/workspace-snapshot.schema.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import { madeSnapshot } from '../../support/workspace/snapshots.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const maybe = fc.option(text);
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as string);
const ecosystem = fc.constantFrom('npm', 'go', 'cargo', 'python', 'hex');

/** Snapshots with every field filled, without names that are there twice. */
const content: fc.Arbitrary<SnapshotContent> = fc
  .record({
    schema_version: fc.constant(2 as const),
    root: text,
    generated_at: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((date) => date.toISOString()),
    repos: fc.uniqueArray(
      fc.record({
        name: text,
        path: text,
        absolute_path: text,
        'exists?': fc.boolean(),
        'has_mix_exs?': fc.boolean(),
        origin: maybe,
        role: fc.constantFrom('write', 'read'),
        setup: fc.array(fc.array(text, { maxLength: 2 }), { maxLength: 2 }),
        packages: fc.uniqueArray(fc.record({ ecosystem, manifest: text, name: maybe, version: maybe, sha256: maybe }), {
          maxLength: 3,
          selector: ({ manifest }) => manifest,
        }),
      }),
      { maxLength: 4, selector: ({ name }) => name },
    ),
    deps: fc.uniqueArray(
      fc.record({
        repo: text,
        app: text,
        raw: text,
        source: fc.constantFrom('hex', 'registry', 'git', 'url', 'path', 'workspace', 'unknown'),
        ecosystem,
        kind: fc.constantFrom('normal', 'dev', 'build', 'peer', 'optional'),
        manifest: text,
        requirement: maybe,
        path: maybe,
      }),
      { maxLength: 4, selector: ({ repo, app }) => `${repo} ${app}` },
    ),
    links: fc.uniqueArray(
      fc.record({
        repo: text,
        dep: text,
        type: fc.constant('path'),
        files: fc.array(text, { maxLength: 2 }),
        mix_exs_sha256_before: maybe,
        mix_exs_sha256_after: maybe,
        preimage: maybe,
        replacement: maybe,
      }),
      { maxLength: 3, selector: ({ repo, dep }) => `${repo} ${dep}` },
    ),
    git: fc.uniqueArray(
      fc.record({
        repo: text,
        repo_path: text,
        'is_git_repo?': fc.boolean(),
        branch: maybe,
        'detached_head?': fc.boolean(),
        head_sha: maybe,
        upstream: maybe,
        ahead: fc.nat(),
        behind: fc.nat(),
        'dirty?': fc.boolean(),
        in_progress: fc.constantFrom('none', 'merge', 'rebase', 'am', 'cherry_pick', 'revert', 'bisect'),
        error: maybe,
      }),
      { maxLength: 4, selector: ({ repo }) => repo },
    ),
    prs: fc.array(json, { maxLength: 2 }),
    health: json,
    diagnostics: fc.uniqueArray(
      fc.record({
        severity: fc.constantFrom('error', 'warning', 'info'),
        repo: maybe,
        kind: text,
        message: text,
        file: maybe,
        line: fc.option(fc.nat({ max: 100_000 })),
      }),
      { maxLength: 3, selector: ({ message }) => message },
    ),
    validate_result: json,
    github: json,
    hex: json,
    registries: fc.option(fc.record({ npm: json, pypi: json, go: json, crates: json })),
  })
  .map((made) => ({ ...made, topology: topologyOf(made) }));

describe('a snapshot', () => {
  test.prop([content])('is the same after it was written and read, every field of it', (made) => {
    const written = identifySnapshot(made);
    const read = identifySnapshot(readSnapshot(JSON.parse(JSON.stringify(written)), 'x.json'));
    expect(read).toEqual(JSON.parse(JSON.stringify(written)));
  });

  test.prop([content, fc.infiniteStream(fc.nat())])(
    'has the same id in any order of its lists, below any root, at any time',
    (made, keys) => {
      const shuffled = <Item>(items: readonly Item[]): Item[] =>
        items
          .map((item) => ({ item, key: keys.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ item }) => item);
      const other = {
        ...made,
        root: `${made.root}/elsewhere`,
        generated_at: '2099-01-01T00:00:00.000Z',
        repos: shuffled(made.repos).map((repo) => ({
          ...repo,
          absolute_path: `/elsewhere/${repo.path}`,
          packages: shuffled(repo.packages),
        })),
        deps: shuffled(made.deps),
        links: shuffled(made.links),
        git: shuffled(made.git).map((state) => ({ ...state, repo_path: '/elsewhere' })),
        diagnostics: shuffled(made.diagnostics),
      };
      expect(identifySnapshot(other).id).toBe(identifySnapshot(made).id);
    },
  );

  test('has another id when anything that is compared differs', () => {
    const one = madeSnapshot([{ name: 'a' }], { deps: [['a', 'x']] });
    const others: SnapshotContent[] = [
      madeSnapshot([{ name: 'a', branch: 'topic' }], { deps: [['a', 'x']] }),
      madeSnapshot([{ name: 'a', path: 'b' }], { deps: [['a', 'x']] }),
      madeSnapshot([{ name: 'a' }], { deps: [['a', 'y']] }),
      { ...one, prs: [1] },
      { ...one, validate_result: { passed: false, duration_ms: 1 } },
    ];
    const ids = [one, ...others].map((each) => identifySnapshot(each).id);
    expect(new Set(ids).size).toBe(ids.length);
    const timed = (duration_ms: number): string =>
      identifySnapshot({ ...one, validate_result: { passed: true, runs: [{ duration_ms }] } }).id;
    expect(timed(1)).toBe(timed(2));
  });

  test('1,000 repositories with 5,000 dependencies are the same after they were written and read', () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `repo-${at}`);
    const deps = Array.from(
      { length: 5_000 },
      (_, at) => [names[at % 1_000] ?? '', `app-${(at * 7_919) % 999}`] as const,
    );
    const made = madeSnapshot(
      names.map((name) => ({ name, packages: [{ name: name.replace('repo', 'app') }] })),
      { deps },
    );
    const written = JSON.stringify(made);
    expect(identifySnapshot(readSnapshot(JSON.parse(written), 'x.json'))).toEqual(made);
    expect(made.topology.external_apps).toEqual([]);
  });
});

describe('a snapshot of another version', () => {
  /** As Graft's serializer writes it, with the keys of its design. */
  const first = {
    id: '2f1c9c0e-7d2e-4a53-9f0a-6b1f4e7a9d10',
    schema_version: 1,
    root: '/home/ada/work',
    generated_at: '2026-05-01T10:00:00Z',
    repos: [
      {
        name: 'req_llm',
        path: 'req_llm',
        absolute_path: '/home/ada/work/req_llm',
        'exists?': true,
        'has_mix_exs?': true,
      },
      {
        name: 'jido_ai',
        path: 'jido_ai',
        absolute_path: '/home/ada/work/jido_ai',
        'exists?': true,
        'has_mix_exs?': true,
      },
    ],
    deps: [
      { repo: 'jido_ai', app: 'req_llm', raw: '{:req_llm, "~> 1.0"}', source: 'hex' },
      { repo: 'req_llm', app: 'jason', raw: '{:jason, "~> 1.4"}', source: 'hex' },
    ],
    links: [
      {
        repo: 'jido_ai',
        dep: 'req_llm',
        mix_exs_sha256_before: 'aa',
        mix_exs_sha256_after: 'bb',
        preimage: '{:req_llm, "~> 1.0"}',
        replacement: '{:req_llm, path: "../req_llm"}',
      },
    ],
    topology: {
      consumers: { req_llm: ['jido_ai'] },
      providers: { jido_ai: ['req_llm'] },
      transitive_dependents: { req_llm: ['jido_ai'] },
      topological_order: ['req_llm', 'jido_ai'],
      external_apps: ['jason'],
      'cyclic?': false,
    },
    git: [
      {
        repo: 'req_llm',
        repo_path: '/home/ada/work/req_llm',
        'is_git_repo?': true,
        branch: 'main',
        'detached_head?': false,
        head_sha: '1'.repeat(40),
        upstream: 'origin/main',
        ahead: 1,
        behind: 2,
        'dirty?': true,
        in_progress: 'none',
        error: null,
      },
    ],
    prs: [{ number: 7 }],
    health: { score: 3 },
    diagnostics: [{ severity: 'warning', repo: 'jido_ai', kind: 'old', message: 'It is old.' }],
    validate_result: { passed: true },
    github: { issues: [] },
    hex: { packages: [] },
  };

  test('1 is brought forward, and nothing of it is lost', () => {
    const read = readSnapshot(first, 'graft.json');
    expect(snapshotSchema.safeParse(identifySnapshot(read)).error).toBeUndefined();
    const { id: _id, schema_version: _version, topology, ...kept } = first;
    expect(read).toMatchObject(kept);
    expect(read.topology).toMatchObject({
      ...topology,
      consumers: { req_llm: ['jido_ai'], jido_ai: [] },
      providers: { jido_ai: ['req_llm'], req_llm: [] },
      transitive_dependents: { req_llm: ['jido_ai'], jido_ai: [] },
      cycles: [],
    });
    expect(read).toMatchObject({ schema_version: 2, registries: null });
    expect(read.links[0]).toMatchObject({ type: 'path', files: [] });
  });

  test('3 is refused as a mismatch, other values as no snapshot', () => {
    const reading = (value: unknown) => () => readSnapshot(value, 'new.json');
    expect(reading({ ...first, schema_version: 3 })).toThrow(
      /new\.json has the schema version 3, and this program knows versions up to 2\./,
    );
    const { deps: _deps, ...partial } = first;
    for (const wrong of [null, [], {}, { schema_version: 0 }, partial, { ...first, more: 1 }]) {
      expect(reading(wrong)).toThrow(/new\.json is no snapshot: /);
    }
  });
});
