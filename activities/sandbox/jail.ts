import { constants } from 'node:fs';
import { access, chmod, cp, lstat, mkdir, readlink, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { temporaryPath } from '../../platform/temporary.ts';
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
  /** Removes the files of the jail. */
  close(): Promise<void>;
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
/** Files of `/etc` that are the same on every machine. With a network, those of this machine replace the last ones. */
const OWN_FILES: Readonly<Record<string, string>> = {
  passwd: `program:x:${UID}:${UID}:program:${HOME}:/bin/bash\n`,
  group: `program:x:${UID}:\n`,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'resolv.conf': '',
};
const NETWORK_FILES = ['hosts', 'resolv.conf'];
/** Toolchains at these paths would be hidden, or would show what programs must not see. */
const NO_TOOLCHAIN = /^\/(work|proc|dev|sys|run|etc|home\/program)(\/|$)|^\/(home|root|var|tmp)?$/;

/** Finds what programs of this sandbox see of the machine. Throws `InvalidConfiguration`. */
export async function openJail({ toolchains, limits, scratch }: SandboxSettings): Promise<Jail> {
  const folders = await Promise.all(SYSTEM_FOLDERS.map((name) => systemFolder(`/${name}`)));
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
  const etc = temporaryPath(join(scratch, 'etc'));
  await copyEtc(etc);
  return {
    shown: [
      '--ro-bind',
      '/usr',
      '/usr',
      ...folders.flat(),
      '--ro-bind',
      etc,
      '/etc',
      ...shownToolchains.flatMap((folder) => ['--ro-bind', folder, folder]),
    ],
    network: (await existing(NETWORK_FILES.map((name) => `/etc/${name}`))).flatMap((path) => ['--ro-bind', path, path]),
    path: [...programs, ...SYSTEM_PATH].join(':'),
    limits,
    close: () => rm(etc, { recursive: true, force: true }),
  };
}

/** The arguments of bubblewrap for a program, whose environment it reads from a file descriptor. */
export function jailArguments(jail: Jail, program: SandboxedProgram, environment: number): readonly string[] {
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
    ...(network === false ? [] : ['--share-net']),
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
    ...(network === true ? jail.network : []),
    '--file',
    String(environment),
    ENVIRONMENT_FILE,
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

/**
 * Makes the folder `/etc` of programs. A copy, because every mount makes the start of a program longer: what changes on
 * the machine is seen after a restart of the worker.
 */
async function copyEtc(folder: string): Promise<void> {
  await mkdir(folder);
  await chmod(folder, 0o755);
  for (const path of await existing(SYSTEM_FILES.map((name) => `/etc/${name}`))) {
    const copy = join(folder, path.slice('/etc/'.length));
    await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
    await chmod(dirname(copy), 0o755);
    await cp(path, copy, { recursive: true, verbatimSymlinks: true, filter: isReadable });
  }
  for (const [name, content] of Object.entries(OWN_FILES)) {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o644);
  }
}

async function isReadable(path: string): Promise<boolean> {
  if ((await lstat(path)).isSymbolicLink()) return true;
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
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
