import { lstat, readlink } from 'node:fs/promises';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { SandboxedProgram, SandboxLimits, SandboxSettings } from './sandbox.ts';

/** The folder of a program, as it sees it. */
export const WORK = '/work';
/** Its home folder, as it sees it. */
export const HOME = '/home/program';
/** Its environment, as `NAME=value` each ended by NUL. */
export const ENVIRONMENT_FILE = '/run/environment';

/** What all programs of a sandbox have in common. */
export interface Jail {
  /** Arguments of bubblewrap that show the system and the toolchains. */
  readonly shown: readonly string[];
  /** The same for programs with a network. */
  readonly network: readonly string[];
  readonly path: string;
  readonly limits: SandboxLimits;
}

const UID = '1000';
/** Everything of the machine is another one inside, and no program can make one itself. */
const NAMESPACES = ['--unshare-user', '--unshare-all', '--disable-userns'];
const IDENTITY = ['--uid', UID, '--gid', UID, '--hostname', 'sandbox'];
const START = ['--die-with-parent', '--new-session', '--clearenv', '--proc', '/proc', '--dev', '/dev'];
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Links to `/usr` on most systems, folders on others. */
const SYSTEM_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** What libraries and many programs read. Nothing that is secret, or says who uses this machine. */
const SYSTEM_FILES = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'localtime',
  'mime.types',
  'os-release',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
];
const NETWORK_FILES = ['resolv.conf', 'hosts', 'host.conf', 'nsswitch.conf', 'gai.conf'];
/** The contents of files in which programs find themselves. */
export const OWN_FILES = {
  '/etc/passwd': `program:x:${UID}:${UID}:program:${HOME}:/bin/bash\n`,
  '/etc/group': `program:x:${UID}:\n`,
} as const;
/** Toolchains at these paths would be hidden, or would show what programs must not see. */
const NO_TOOLCHAIN = /^\/(work|proc|dev|sys|run|etc|home\/program)(\/|$)|^\/(home|root|var|tmp)?$/;

/** Finds what programs of this sandbox see of the machine. Throws `InvalidConfiguration`. */
export async function openJail({ toolchains, limits }: SandboxSettings): Promise<Jail> {
  const folders = await Promise.all(SYSTEM_FOLDERS.map((name) => systemFolder(`/${name}`)));
  const etc = await existing(SYSTEM_FILES.map((name) => `/etc/${name}`));
  for (const folder of toolchains) {
    if (NO_TOOLCHAIN.test(folder) || !(await isFolder(folder))) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `pipelines.toolchains: ${folder} is no folder that can be shown to programs.`,
      );
    }
  }
  const shownToolchains = toolchains.filter((folder) => !folder.startsWith('/usr/'));
  const programs = await Promise.all(
    toolchains.map(async (folder) => (await existing([`${folder}/bin`]))[0] ?? folder),
  );
  return {
    shown: [
      '--ro-bind',
      '/usr',
      '/usr',
      ...folders.flat(),
      ...etc.flatMap((path) => ['--ro-bind', path, path]),
      ...shownToolchains.flatMap((folder) => ['--ro-bind', folder, folder]),
    ],
    network: (await existing(NETWORK_FILES.map((name) => `/etc/${name}`))).flatMap((path) => ['--ro-bind', path, path]),
    path: [...programs, ...SYSTEM_PATH].join(':'),
    limits,
  };
}

/** The arguments of bubblewrap for a program. `files`: paths in the sandbox by the descriptor that their content is read from. */
export function jailArguments(
  jail: Jail,
  program: SandboxedProgram,
  files: ReadonlyMap<number, string>,
): readonly string[] {
  const { folder, home, temporary, network } = program;
  const memory = (mode: string, path: string): string[] => [
    '--perms',
    mode,
    '--size',
    String(jail.limits.temporaryBytes),
    '--tmpfs',
    path,
  ];
  return [
    ...NAMESPACES,
    ...(network ? ['--share-net'] : []),
    ...IDENTITY,
    ...START,
    ...memory('1777', '/dev/shm'),
    '--remount-ro',
    '/dev',
    ...(temporary === undefined ? memory('1777', '/tmp') : bound(temporary, '/tmp')),
    '--symlink',
    '../tmp',
    '/var/tmp',
    ...(home === undefined ? memory('755', HOME) : bound(home, HOME)),
    ...jail.shown,
    ...(network ? jail.network : []),
    ...[...files].flatMap(([descriptor, path]) => ['--file', String(descriptor), path]),
    ...bound(folder, WORK),
    '--chdir',
    WORK,
    // what is left of the empty file system is memory, too
    '--remount-ro',
    '/',
  ];
}

function bound(outside: string, path: string): string[] {
  return ['--bind', outside, path];
}

async function systemFolder(path: string): Promise<string[]> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return [];
  return found.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => lstat(path).catch(() => null)));
  return paths.filter((_, at) => found[at] !== null);
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}
