import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { waitForLock } from '../../platform/file-lock.ts';
import { findOnPath } from '../../platform/program.ts';
import { fetchCompose } from './binaries.ts';
import { startDnsRelay } from './dns-relay.ts';
import type { DnsRelay } from './dns-relay.ts';
import { contentOf, messageOf, until } from './files.ts';
import { unpackPackages } from './packages.ts';
import type { Surroundings } from './surroundings.ts';
import { Unavailable } from './unavailable.ts';

/** A separate Docker engine for this test. */
export interface Engine {
  /** Environment in which `docker` and `docker compose` use only this engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder for files that live as long as the engine. */
  readonly folder: string;
  /** Stops all containers, the engine and its mounts; images and build cache stay for the next run. */
  stop(): Promise<void>;
}

/** Fixed, so that the leftovers of a killed engine are found and removed; short, because of the socket's path. */
const RUNTIME = path.join(tmpdir(), 'longhaul-compose-test');
const EXEC_ROOT = path.join(RUNTIME, 'exec');
const CGROUP = 'longhaul-compose-test';

/**
 * Starts a Docker engine in addition to any of the machine: own images (cached in `cacheFolder`), own socket, own mount
 * namespace, no changes to the host's firewall. One runs at a time; a second caller waits. Debian's packages are
 * unpacked where the machine has no `dockerd`. Throws {@link Unavailable} when this machine cannot run one.
 */
export async function startEngine(surroundings: Surroundings): Promise<Engine> {
  requireRoot();
  const lock = await waitForLock(`${RUNTIME}.lock`, {
    signal: surroundings.signal,
    onHeld: ({ process: other }, waitedMs) => {
      if (waitedMs === 0) surroundings.say(`waiting for process ${other?.pid}, which runs this test`);
    },
  });
  try {
    await endLeftover();
    await mkdir(RUNTIME, { mode: 0o700 });
    const programs = await engineEnvironment(surroundings);
    const env = {
      ...programs,
      DOCKER_HOST: `unix://${RUNTIME}/docker.sock`,
      DOCKER_CONFIG: path.join(RUNTIME, 'config'),
    };
    const relay = await startDnsRelay();
    const daemon = await startDaemon(surroundings, env, relay).catch((error: unknown) => {
      relay?.close();
      throw error;
    });
    const stop = async (): Promise<void> => {
      await stopDaemon(daemon, env);
      relay?.close();
      await rm(RUNTIME, { recursive: true, force: true });
      await lock.release();
    };
    try {
      await removeContainers(env);
      await provideCompose(surroundings, env);
      return { env, folder: RUNTIME, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function requireRoot(): void {
  if (process.platform !== 'linux')
    throw new Unavailable(`a Docker engine needs Linux, and this is ${process.platform}`);
  if (process.getuid?.() !== 0) throw new Unavailable('a Docker engine needs root, and this user is not');
}

async function engineEnvironment(surroundings: Surroundings): Promise<NodeJS.ProcessEnv> {
  const needed = ['dockerd', 'containerd', 'runc', 'iptables', 'docker'];
  const found = await Promise.all(needed.map((name) => findOnPath(name, process.env)));
  if (!found.includes(null)) return { ...process.env };
  const { env } = await unpackPackages(['docker.io', 'iptables'], surroundings);
  return { ...process.env, ...env };
}

async function startDaemon(
  { cacheFolder, signal }: Surroundings,
  env: NodeJS.ProcessEnv,
  relay: DnsRelay | undefined,
): Promise<ChildProcess> {
  const { stdout: version } = await execa('dockerd', ['--version'], { env });
  const major = /\d+/.exec(version)?.[0] ?? 'unknown';
  const log = path.join(RUNTIME, 'dockerd.log');
  const output = openSync(log, 'w');
  const places = [
    `--host=${env['DOCKER_HOST']}`,
    `--data-root=${path.join(cacheFolder, `docker-${major}`)}`,
    `--exec-root=${EXEC_ROOT}`,
    `--pidfile=${path.join(RUNTIME, 'dockerd.pid')}`,
  ];
  const groups = ['--exec-opt=native.cgroupdriver=cgroupfs', `--cgroup-parent=/${CGROUP}`];
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
  // In a separate mount namespace, so that no mount can be left behind.
  const ownMounts = ['--mount', 'sh', '-euc', 'if [ -s "$0" ]; then mount --bind "$0" /etc/resolv.conf; fi; exec "$@"'];
  const resolvConf = path.join(RUNTIME, 'resolv.conf');
  await writeFile(resolvConf, relay?.resolvConf ?? '');
  const daemon = spawn('unshare', [...ownMounts, resolvConf, 'dockerd', ...places, ...groups, ...network], {
    env,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  try {
    await until('dockerd', 60, async () => {
      signal.throwIfAborted();
      if (daemon.exitCode !== null) throw new Error('it ended');
      const { failed } = await execa('docker', ['version'], { env, reject: false });
      return failed ? undefined : true;
    });
  } catch (error) {
    daemon.kill('SIGTERM');
    signal.throwIfAborted();
    const words = (await contentOf(log)).trim().split('\n').slice(-3).join(' | ');
    throw new Unavailable(`dockerd cannot run on this machine: ${words}`, { cause: error });
  }
  return daemon;
}

async function stopDaemon(daemon: ChildProcess, env: NodeJS.ProcessEnv): Promise<void> {
  await removeContainers(env);
  for (const prune of [['image'], ['builder', '--keep-storage=4GB']]) {
    const [kind = '', ...options] = prune;
    await execa('docker', [kind, 'prune', '--force', ...options], { env, reject: false });
  }
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  if (daemon.exitCode === null) {
    daemon.kill('SIGTERM');
    await ended;
  }
  await removeGroups();
}

/** The control groups of the containers: one tree, or with cgroup v1 one for each controller. */
async function removeGroups(): Promise<void> {
  const all = '/sys/fs/cgroup';
  for (const controller of ['', ...(await readdir(all))]) {
    const group = path.join(all, controller, CGROUP);
    const entries = await readdir(group, { recursive: true, withFileTypes: true }).catch(() => []);
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(entry.parentPath, entry.name));
    // Their files are not real files: a group without child groups is empty.
    for (const folder of [...folders.sort().toReversed(), group]) await rmdir(folder).catch(() => undefined);
  }
}

/** Removes containers of a killed run, with their volumes and networks. */
async function removeContainers(env: NodeJS.ProcessEnv): Promise<void> {
  const remove = async (list: readonly string[], command: readonly string[]): Promise<void> => {
    const { stdout } = await execa('docker', list, { env, reject: false });
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await execa('docker', [...command, ...ids], { env, reject: false });
  };
  await remove(['ps', '--all', '--quiet'], ['rm', '--force', '--volumes']);
  await remove(['volume', 'ls', '--quiet'], ['volume', 'rm', '--force']);
  await execa('docker', ['network', 'prune', '--force'], { env, reject: false });
}

/** The engine of a killed run continues to run with its containers: it is stopped, and the next engine cleans up. */
async function endLeftover(): Promise<void> {
  for (const pid of await leftoverEngines()) {
    process.kill(pid, 'SIGTERM');
  }
  await until('the engine of an earlier run to end', 60, async () =>
    (await leftoverEngines()).length === 0 ? true : undefined,
  );
  await rm(RUNTIME, { recursive: true, force: true });
}

/** All `dockerd` processes of this test; their children end with them. */
async function leftoverEngines(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      args: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0'),
    })),
  );
  return commands
    .filter(({ args }) => path.basename(args[0] ?? '') === 'dockerd' && args.includes(`--exec-root=${EXEC_ROOT}`))
    .map(({ pid }) => pid);
}

async function provideCompose(surroundings: Surroundings, env: NodeJS.ProcessEnv): Promise<void> {
  const plugins = path.join(env['DOCKER_CONFIG'] ?? '', 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  const { stdout, failed } = await execa('docker', ['compose', 'version', '--short'], { env, reject: false });
  if (!failed && isRecent(stdout)) return;
  try {
    const compose = await fetchCompose(surroundings);
    await writeFile(path.join(plugins, 'docker-compose'), `#!/bin/sh\nexec '${compose}' "$@"\n`, { mode: 0o755 });
  } catch (error) {
    surroundings.signal.throwIfAborted();
    throw new Unavailable(`there is no Docker Compose 2.24 or later: ${messageOf(error)}`, { cause: error });
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 24);
}
