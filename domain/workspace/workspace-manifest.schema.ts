import { z } from 'zod';
import { isBranchName } from '../git/branch.ts';
import { nameOfOrigin } from './name-of-origin.ts';
import { isRepoPath, type WorkspaceManifest } from './workspace-manifest.ts';

const repoName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, 'use letters, digits, dot, dash and underscore, at most 100');

const repoPath = z.string().max(500).refine(isRepoPath, 'must be a folder below the root, such as libs/core');

const origin = z
  .string()
  .max(2_000)
  .regex(/^[^-\s][^\s]*$/, 'give an address that git can clone from, or an absolute path');

const branch = z.string().refine(isBranchName, 'must be the name of a branch, such as feature/login');
const argv = z.array(z.string().max(10_000)).min(1, 'give a program').max(100);
const variables = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and underscore'),
  z.string(),
);

const ttl = z.string().regex(/^[1-9]\d{0,4}[mhd]$/, 'give minutes, hours or days, such as 90m, 2h or 3d');

const repository = z
  .strictObject({
    name: repoName.optional(),
    path: repoPath.optional(),
    origin: origin.optional(),
    branch: branch.optional(),
    role: z.enum(['write', 'read']).default('write'),
    /** Programs that prepare it, each a list of a program and its arguments. */
    setup: z.array(argv).max(50).default([]),
    /** Programs that check it, by name. */
    commands: z.record(z.string(), argv).default({}),
  })
  .refine(({ name, path, origin: from }) => (name ?? path ?? from) !== undefined, 'give a name, a path or an origin');

const shape = z.strictObject({
  version: z.literal(1).default(1),
  /** The branch of every repository with the role `write`. */
  branch: branch.optional(),
  repositories: z.array(repository).min(1, 'give at least one repository').max(5_000),
  links: z
    .array(z.strictObject({ from: z.string(), to: z.string(), type: z.literal('path').default('path') }))
    .optional(),
  environment: variables.default({}),
  ttl: ttl.optional(),
});

/** `longhaul.workspace.yaml`, with names, paths and branches filled in. */
export const workspaceManifestSchema = shape
  .transform((given): WorkspaceManifest => ({
    repositories: given.repositories.map((repo) => {
      const name = repo.name ?? nameOfOrigin(repo.path ?? repo.origin ?? '');
      return {
        name,
        path: repo.path ?? name,
        origin: repo.origin ?? null,
        branch: repo.branch ?? (repo.role === 'write' ? (given.branch ?? null) : null),
        role: repo.role,
        setup: repo.setup,
        commands: repo.commands,
      };
    }),
    links: given.links ?? null,
    environment: given.environment,
    ttl: given.ttl ?? null,
  }))
  .superRefine(({ repositories, links }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const byName = new Map<string, number>();
    for (const [at, { name, path }] of repositories.entries()) {
      const here = ['repositories', at];
      if (!repoName.safeParse(name).success) refuse(here, `give a name: "${name}" cannot be one`);
      else if (!repoPath.safeParse(path).success) refuse(here, `give a path: "${path}" cannot be one`);
      else if (byName.has(name)) refuse(here, `there are two repositories with the name ${name}`);
      byName.set(name, at);
    }
    for (const [outer, inner] of nested(repositories.map(({ path }) => path))) {
      const [around, inside] = [repositories[outer], repositories[inner]];
      if (around === undefined || inside === undefined) continue;
      refuse(['repositories', inner], `${inside.path} is not a folder of its own: ${around.name} is at ${around.path}`);
    }
    for (const [at, { from, to }] of (links ?? []).entries()) {
      for (const [end, name] of [
        ['from', from],
        ['to', to],
      ] as const) {
        if (!byName.has(name)) refuse(['links', at, end], `there is no repository ${name}`);
      }
      if (from === to) refuse(['links', at], 'a repository cannot be linked to itself');
      const same = (links ?? []).findIndex((other) => other.from === from && other.to === to);
      if (same < at) refuse(['links', at], `the link from ${from} to ${to} is there twice`);
    }
  });

/** `graft.exs` as a value: the root, and repositories with a name, a path and an origin. */
export const graftManifestSchema = z.strictObject({
  root: z.string().default('.'),
  siblings: z
    .array(z.strictObject({ name: z.string(), path: z.string().optional(), origin: z.string().nullish() }))
    .min(1, 'give at least one sibling'),
});

/** Places of folders of which the second is the first one or is inside it. */
function nested(paths: readonly string[]): [outer: number, inner: number][] {
  const sorted = paths.map((path, at) => ({ path: `${path}/`, at }));
  sorted.sort((a, b) => (a.path === b.path ? a.at - b.at : a.path < b.path ? -1 : 1));
  const pairs: [number, number][] = [];
  let outer = sorted[0];
  for (const each of sorted.slice(1)) {
    if (outer !== undefined && each.path.startsWith(outer.path)) pairs.push([outer.at, each.at]);
    else outer = each;
  }
  return pairs;
}
