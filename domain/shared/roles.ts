import { LonghaulError } from './failures.ts';
import { DEPLOY_QUEUE, FLOWS_QUEUE, hostQueue, LEDGER_QUEUE, PIPELINES_QUEUE, REPOS_QUEUE } from './queues.ts';

/** What a worker process of any machine can serve: each role with its task queue (docs/architecture.md). */
export const QUEUE_OF_ROLE = {
  flows: FLOWS_QUEUE,
  repos: REPOS_QUEUE,
  ledger: LEDGER_QUEUE,
  pipelines: PIPELINES_QUEUE,
  deploy: DEPLOY_QUEUE,
} as const;

/** The name of a role of {@link QUEUE_OF_ROLE}. */
export type SharedRole = keyof typeof QUEUE_OF_ROLE;

/** The role of one machine, whose disk its tasks need: `host:build-1`. */
export type HostRole = `host:${string}`;

/** What a worker process can serve. */
export type Role = SharedRole | HostRole;

/** What roles have in common for the code that serves them: the role itself, or `host` for those of machines. */
export type RoleKind = SharedRole | 'host';

/** The names of the roles that any machine can serve. */
export const ROLES = Object.keys(QUEUE_OF_ROLE) as readonly SharedRole[];

/**
 * Roles that run programs of others: each is served by a process of its own, whose environment has no secrets. Not every
 * machine can isolate programs, so an installation may have no worker for them.
 */
const ALONE: readonly Role[] = ['pipelines'];

/** The roles of the release train: an installation that only searches has no database and no cluster, and no worker for them. */
const OF_RELEASES: readonly Role[] = ['ledger', 'deploy', ...ALONE];

/** The roles that every installation has, and that one process can serve together. */
export const COMMON_ROLES: readonly SharedRole[] = ROLES.filter((role) => !OF_RELEASES.includes(role));

const HOST_PREFIX = 'host:';

/** The name of a machine: part of a task queue's name, and of workflow ids. */
export const HOST_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;

/** What {@link HOST_NAME} wants, the rest of a sentence about a field. */
export const NOT_A_HOST_NAME = 'use lower-case letters, digits, dots and hyphens, at most 63';

/** The role of a machine. */
export function hostRole(name: string): HostRole {
  return `${HOST_PREFIX}${name}`;
}

/** See {@link RoleKind}. */
export function kindOfRole(role: Role): RoleKind {
  return isHostRole(role) ? 'host' : role;
}

/** The task queue of a role. */
export function queueOfRole(role: Role): string {
  return isHostRole(role) ? hostQueue(role.slice(HOST_PREFIX.length)) : QUEUE_OF_ROLE[role];
}

function isHostRole(role: Role): role is HostRole {
  return role.startsWith(HOST_PREFIX);
}

/** The roles in `flows,repos,host:build-1`, each once. Throws `InvalidInput`. */
export function parseRoles(text: string): readonly Role[] {
  const roles = text.split(',').map((name) => {
    const role = ROLES.find((known) => known === name);
    if (role !== undefined) return role;
    if (name.startsWith(HOST_PREFIX) && HOST_NAME.test(name.slice(HOST_PREFIX.length))) return name as HostRole;
    throw new LonghaulError(
      'InvalidInput',
      `--roles: there is no role "${name}"; available: ${ROLES.join(', ')}, and ${HOST_PREFIX}NAME.`,
    );
  });
  const each = [...new Set(roles)];
  const hosts = each.filter(isHostRole);
  if (hosts.length > 1) {
    throw new LonghaulError('InvalidInput', `--roles: a process serves one machine, not ${hosts.join(' and ')}.`);
  }
  const alone = each.find((role) => ALONE.includes(role));
  if (alone === undefined || each.length === 1) return each;
  throw new LonghaulError(
    'InvalidInput',
    `--roles: the role "${alone}" runs programs of repositories, so it is served alone: start another worker for it.`,
  );
}
