import { z } from 'zod';
import { isBranchName } from '../git/branch.ts';
import { isPlainSegment } from '../git/repository.ts';
import { check, describeIssue } from '../shared/check.schema.ts';
import { LonghaulError } from '../shared/failures.ts';
import type { AnyJson } from './any-json.ts';
import { placedAt } from './placed-snapshot.ts';
import { isRepoPath } from './workspace-manifest.ts';
import {
  OPERATION_TYPES,
  PLAN_ACTIONS,
  PLAN_STATUSES,
  type PlanContent,
  PRECONDITION_TYPES,
} from './workspace-plan.ts';
import { readSnapshot } from './workspace-snapshot.schema.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';

const json = z.custom<AnyJson>((value) => value !== undefined);
const path = z.string().max(500).refine(isRepoPath, 'must be a folder below the root');

const operationSchema = z.strictObject({
  index: z.int().min(0),
  type: z.enum(OPERATION_TYPES),
  target: z.string(),
  params: z.record(z.string(), json),
  depends_on: z.array(z.int().min(0)),
  status: z.enum(['pending', 'running', 'done', 'failed', 'undone']),
  result: json,
});

const planSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits'),
  action: z.enum(PLAN_ACTIONS),
  status: z.enum(PLAN_STATUSES),
  current: json,
  desired: json,
  preconditions: z.array(
    z.strictObject({
      type: z.enum(PRECONDITION_TYPES),
      target: z.string().refine((target) => target.split('/').every(isNamed), 'must not lead out of the root'),
      expected: json.refine(staysInside, 'must not lead out of the root'),
      message: z.string(),
    }),
  ),
  operations: z.array(operationSchema).max(50_000),
  rollback: z.array(operationSchema).max(50_000),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  error: json,
});

function isNamed(part: string): boolean {
  return part === '.' || isPlainSegment(part);
}

/** True when the `path` of an expectation, if it has one, is below the root. */
function staysInside(expected: AnyJson): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return true;
  const { path: expectedPath } = expected as Readonly<Record<string, AnyJson>>;
  return expectedPath === undefined || (typeof expectedPath === 'string' && expectedPath.split('/').every(isNamed));
}

/** A plan that was kept: its id, which its maker computed, and what it consists of. */
export interface KeptPlan {
  readonly id: string;
  /** When it was made, as its file says: not a part of the compared bytes. ISO 8601. */
  readonly createdAt: string;
  readonly content: PlanContent;
}

/**
 * Reads a plan that was kept. `from` names it in messages. Roots and topologies in it are not taken from it: they are not
 * part of the compared bytes, so anyone can have edited them. Its snapshots are placed in `here`. The caller compares the
 * id with the digest of {@link planText}. Throws `InvalidInput` when it is no plan, when a path leads out of the root, or
 * when an operation waits for a later one; `SchemaMismatch` for one of a later version.
 */
export function readWorkspacePlan(
  value: unknown,
  from: string,
  here: Pick<SnapshotContent, 'root' | 'generated_at'>,
): KeptPlan {
  const { data, error } = check(planSchema, value);
  if (data === undefined) throw new LonghaulError('InvalidInput', `${from} is no plan: ${describeIssue(error)}.`);
  const { id, action, current, desired, preconditions, operations, rollback, created_at: createdAt } = data;
  for (const list of [operations, rollback]) {
    for (const [at, { index, depends_on }] of list.entries()) {
      if (index !== at || depends_on.some((other) => other >= at))
        throw new LonghaulError('InvalidInput', `${from} is no plan: operation ${at} does not have its place.`);
    }
  }
  const snapshot = (kept: AnyJson, part: string): PlanContent['current'] => ({
    id: '',
    ...placedAt(readSnapshot(kept, `${part} of ${from}`), here),
  });
  return {
    id,
    createdAt,
    content: {
      action,
      current: snapshot(current, 'current'),
      desired: snapshot(desired, 'desired'),
      preconditions,
      operations,
      rollback,
    },
  };
}

const attachSchema = z.strictObject({
  how: z.enum(['clone', 'switch']),
  path,
  origin: z
    .string()
    .max(2_000)
    .regex(/^[^-\s][^\s]*$/, 'must be an address that git can clone from')
    .nullable(),
  role: z.enum(['write', 'read']),
  branch: z.string().refine(isBranchName, 'must be the name of a branch').nullable(),
  commit: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the name of a commit')
    .nullable(),
});
const detachSchema = z.strictObject({ path });
const runSchema = z.strictObject({
  argv: z.array(z.string().max(10_000)).min(1).max(100),
  cwd: path,
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(100_000)),
});
const linkSchema = z.strictObject({
  repo: z.string().max(100),
  dep: z.string().max(100),
  type: z.literal('path'),
  repo_path: path,
  dep_path: path,
});

/** What an operation does to the disk, with its checked parameters. Paths are relative to the root. */
export type DiskOperation = {
  /** Its place in the plan. */
  readonly index: number;
  /** The name of the repository. */
  readonly target: string;
  readonly depends_on: readonly number[];
  readonly path: string;
} & (
  | {
      readonly does: 'clone';
      readonly origin: string;
      /** Null for the default branch, or for a detached HEAD at `commit`. */
      readonly branch: string | null;
      readonly commit: string | null;
    }
  | { readonly does: 'detach' }
  | {
      /** Runs a program in the folder `path`. */
      readonly does: 'run';
      readonly argv: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  | {
      /** `path` is the folder of the repository that depends. */
      readonly does: 'link' | 'unlink';
      /** The names of the repository that depends, and of the other one. */
      readonly repo: string;
      readonly dep: string;
      /** The folder of the other one. */
      readonly depPath: string;
    }
);

/** The operations of a plan with checked parameters. Throws `InvalidInput`, also for those that cannot be done yet. */
export function diskOperations(operations: PlanContent['operations']): readonly DiskOperation[] {
  return operations.map(({ index, type, target, params, depends_on }): DiskOperation => {
    const about = `Operation ${index + 1} of the plan (${type} ${target})`;
    const checked = <Schema extends z.ZodType>(schema: Schema): z.output<Schema> => {
      const { data, error } = check(schema, params);
      if (error !== undefined) throw new LonghaulError('InvalidInput', `${about} is wrong: ${describeIssue(error)}.`);
      return data;
    };
    const place = { index, target, depends_on };
    switch (type) {
      case 'attach_repo': {
        const { how, path: folder, origin, branch, commit } = checked(attachSchema);
        if (how === 'switch') return notYet(about);
        if (branch !== null && commit !== null)
          throw new LonghaulError('InvalidInput', `${about} is wrong: it has a branch and a commit.`);
        if (origin === null)
          throw new LonghaulError('InvalidInput', `${about} is wrong: no origin says where to clone it from.`);
        return { ...place, does: 'clone', path: folder, origin, branch, commit };
      }
      case 'detach_repo':
        return { ...place, does: 'detach', path: checked(detachSchema).path };
      case 'create_link':
      case 'remove_link': {
        const { repo, dep, repo_path, dep_path } = checked(linkSchema);
        return {
          ...place,
          does: type === 'create_link' ? 'link' : 'unlink',
          path: repo_path,
          repo,
          dep,
          depPath: dep_path,
        };
      }
      case 'run_command': {
        const { argv, cwd, environment } = checked(runSchema);
        return { ...place, does: 'run', path: cwd, argv, environment };
      }
      case 'rewrite_file':
      case 'validate_repo':
        return notYet(about);
    }
  });
}

function notYet(about: string): never {
  throw new LonghaulError('InvalidInput', `${about} cannot be done by this version yet.`);
}
