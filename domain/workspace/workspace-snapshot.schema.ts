import { z } from 'zod';
import { check, describeIssue } from '../shared/check.schema.ts';
import { LonghaulError } from '../shared/failures.ts';
import { topologyOf } from './topology.ts';
import { type SnapshotContent, SNAPSHOT_VERSION, type WorkspaceSnapshot } from './workspace-snapshot.ts';

/** It is parsed JSON already. `z.json()` would make a copy without a key `__proto__`, and so another id. */
const json = z.custom<z.core.util.JSONType>((value) => value !== undefined);
const reposByRepo = z.record(z.string(), z.array(z.string()));
const role = z.enum(['write', 'read']);
const gitInProgress = z.enum(['none', 'merge', 'rebase', 'am', 'cherry_pick', 'revert', 'bisect']);
const severity = z.enum(['error', 'warning', 'info']);

const gitSchema = z.strictObject({
  repo: z.string(),
  repo_path: z.string(),
  'is_git_repo?': z.boolean(),
  branch: z.string().nullable(),
  'detached_head?': z.boolean(),
  head_sha: z.string().nullable(),
  upstream: z.string().nullable(),
  ahead: z.int().min(0),
  behind: z.int().min(0),
  'dirty?': z.boolean(),
  in_progress: gitInProgress,
  error: z.string().nullable(),
});

/** A snapshot as this program writes it. */
export const snapshotSchema = z.strictObject({
  id: z.string(),
  schema_version: z.literal(SNAPSHOT_VERSION),
  root: z.string(),
  generated_at: z.iso.datetime(),
  repos: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      absolute_path: z.string(),
      'exists?': z.boolean(),
      'has_mix_exs?': z.boolean(),
      origin: z.string().nullable(),
      role,
      setup: z.array(z.array(z.string())),
      packages: z.array(
        z.strictObject({
          ecosystem: z.enum(['npm', 'go', 'cargo', 'python', 'hex']),
          manifest: z.string(),
          name: z.string().nullable(),
          version: z.string().nullable(),
          sha256: z.string().nullable(),
        }),
      ),
    }),
  ),
  deps: z.array(
    z.strictObject({
      repo: z.string(),
      app: z.string(),
      raw: z.string(),
      source: z.enum(['hex', 'registry', 'git', 'url', 'path', 'workspace', 'unknown']),
      ecosystem: z.enum(['npm', 'go', 'cargo', 'python', 'hex']),
      kind: z.enum(['normal', 'dev', 'build', 'peer', 'optional']),
      manifest: z.string(),
      requirement: z.string().nullable(),
      path: z.string().nullable(),
    }),
  ),
  links: z.array(
    z.strictObject({
      repo: z.string(),
      dep: z.string(),
      type: z.literal('path'),
      // the first snapshots of this version have only links that manifests declare
      files: z.array(z.string()).default([]),
      mix_exs_sha256_before: z.string().nullable(),
      mix_exs_sha256_after: z.string().nullable(),
      preimage: z.string().nullable(),
      replacement: z.string().nullable(),
    }),
  ),
  topology: z.strictObject({
    consumers: reposByRepo,
    providers: reposByRepo,
    transitive_dependents: reposByRepo,
    topological_order: z.array(z.string()),
    external_apps: z.array(z.string()),
    'cyclic?': z.boolean(),
    cycles: z.array(z.array(z.string())),
  }),
  git: z.array(gitSchema),
  prs: z.array(json),
  health: json,
  diagnostics: z.array(
    z.strictObject({
      severity,
      repo: z.string().nullable(),
      kind: z.string(),
      message: z.string(),
      file: z.string().nullable(),
      line: z.int().nullable(),
    }),
  ),
  validate_result: json,
  github: json,
  hex: json,
  registries: z.strictObject({ npm: json, pypi: json, go: json, crates: json }).nullable(),
}) satisfies z.ZodType<WorkspaceSnapshot>;

/** A snapshot of version 1: Graft's, with the keys `github` and `hex` that its design adds. */
const firstSchema = z.strictObject({
  id: z.string(),
  schema_version: z.literal(1),
  root: z.string(),
  generated_at: z.iso.datetime({ offset: true }),
  repos: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      absolute_path: z.string(),
      'exists?': z.boolean(),
      'has_mix_exs?': z.boolean(),
    }),
  ),
  deps: z.array(
    z.strictObject({
      repo: z.string(),
      app: z.string(),
      raw: z.string(),
      source: z.enum(['git', 'hex', 'path', 'unknown']),
    }),
  ),
  links: z.array(
    z.strictObject({
      repo: z.string(),
      dep: z.string(),
      mix_exs_sha256_before: z.string().nullable(),
      mix_exs_sha256_after: z.string().nullable(),
      preimage: z.string().nullable(),
      replacement: z.string().nullable(),
    }),
  ),
  // it follows from the rest, and is made anew
  topology: json,
  git: z.array(gitSchema),
  prs: z.array(json).nullish(),
  health: json.optional(),
  diagnostics: z
    .array(z.strictObject({ severity, repo: z.string().nullable(), kind: z.string(), message: z.string() }))
    .nullish(),
  validate_result: json.optional(),
  github: json.optional(),
  hex: json.optional(),
});

/**
 * Reads a snapshot that was kept, of this version or of an earlier one, which is brought forward. `from` names it in
 * messages. Its id and its topology are not taken from it: both follow from the rest. Throws `SchemaMismatch` for one of
 * a later version, `InvalidInput` for anything else.
 */
export function readSnapshot(value: unknown, from: string): SnapshotContent {
  const { schema_version: version } = check(z.looseObject({ schema_version: z.int() }), value).data ?? {};
  if (version !== undefined && version > SNAPSHOT_VERSION) {
    throw new LonghaulError(
      'SchemaMismatch',
      `${from} has the schema version ${version}, and this program knows versions up to ${SNAPSHOT_VERSION}.`,
    );
  }
  if (version === 1) return migrate(read(firstSchema, value, from));
  const { id: _id, ...content } = read(snapshotSchema, value, from);
  return { ...content, topology: topologyOf(content) };
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown, from: string): z.output<Schema> {
  const { data, error } = check(schema, value);
  if (error !== undefined) throw new LonghaulError('InvalidInput', `${from} is no snapshot: ${describeIssue(error)}.`);
  return data;
}

/** Version 1 knows Elixir only, and neither origins nor roles. */
function migrate({ id: _id, ...first }: z.output<typeof firstSchema>): SnapshotContent {
  const content = {
    ...first,
    schema_version: SNAPSHOT_VERSION as typeof SNAPSHOT_VERSION,
    repos: first.repos.map((repo) => ({
      ...repo,
      origin: null,
      role: 'write' as const,
      setup: [],
      packages: repo['has_mix_exs?']
        ? [{ ecosystem: 'hex' as const, manifest: 'mix.exs', name: repo.name, version: null, sha256: null }]
        : [],
    })),
    deps: first.deps.map((dep) => ({
      ...dep,
      ecosystem: 'hex' as const,
      kind: 'normal' as const,
      manifest: 'mix.exs',
      requirement: null,
      path: null,
    })),
    links: first.links.map((link) => ({ ...link, type: 'path' as const, files: [] })),
    prs: first.prs ?? [],
    health: first.health ?? null,
    diagnostics: (first.diagnostics ?? []).map((one) => ({ ...one, file: null, line: null })),
    validate_result: first.validate_result ?? null,
    github: first.github ?? null,
    hex: first.hex ?? null,
    registries: null,
  };
  return { ...content, topology: topologyOf(content) };
}
