import type { SandboxLimits } from './sandbox.ts';

/**
 * A script for bash that limits itself and then becomes the program in its arguments. It is the first that runs in a
 * sandbox, in an environment without variables of others: with them a repository could run code in it, before the limits
 * hold (`BASH_ENV`, `LD_PRELOAD`). `environment`: a file with `NAME=value`, each ended by NUL; null when the
 * environment is the program's already.
 */
export function launcher(limits: SandboxLimits, environment: string | null): string {
  return [
    set('c', 0),
    set('n', 65_536),
    set('t', limits.cpuSeconds),
    set('f', blocks(limits.fileBytes)),
    set('d', blocks(limits.memoryBytes)),
    set('u', limits.processes),
    ...(environment === null ? [] : [`mapfile -d '' -t environment <${environment}`, 'export "${environment[@]}"']),
    'exec -- "$@"',
  ].join('\n');
}

/** A limit that is lower already cannot be raised, and stays. */
function set(option: string, value: number): string {
  return `ulimit -${option} ${value} 2>/dev/null`;
}

/** The unit of bash. */
function blocks(bytes: number): number {
  return Math.ceil(bytes / 1_024);
}

/** The arguments of bash that run a program under these limits. */
export function limited(argv: readonly string[], limits: SandboxLimits, environment: string | null): readonly string[] {
  return ['--norc', '--noprofile', '-c', launcher(limits, environment), 'program', ...argv];
}
