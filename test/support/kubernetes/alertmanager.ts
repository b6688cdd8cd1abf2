import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findOnPath } from '../../../platform/program.ts';
import { poll } from '../../../stack/child.ts';
import { choosePorts } from '../../../stack/ports.ts';

/** A real Alertmanager on loopback. */
export interface Alertmanager {
  /** `host:port`, for `alerting` of a Prometheus. */
  readonly address: string;
  stop(): Promise<void>;
}

const START_MS = 60_000;

/**
 * Starts an Alertmanager with its data in a folder, which sends each alert to one webhook at once, with the secret of a
 * file as its bearer token, and repeats it each second. It is the program `prometheus-alertmanager` or `alertmanager` on
 * PATH: `.ci/tools` fetches the package of Debian.
 */
export async function startAlertmanager(
  folder: string,
  { url, secretFile }: { readonly url: string; readonly secretFile: string },
): Promise<Alertmanager> {
  const program =
    (await findOnPath('prometheus-alertmanager', process.env)) ?? (await findOnPath('alertmanager', process.env));
  if (program === null) {
    throw new Error('Alertmanager is not on PATH: install it, or add the folder to PATH that `.ci/tools` prints.');
  }
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'alertmanager.yml');
  const authorization = { credentials_file: secretFile };
  const receiver = {
    name: 'longhaul',
    webhook_configs: [{ url, send_resolved: true, http_config: { authorization } }],
  };
  const route = { receiver: 'longhaul', group_wait: '100ms', group_interval: '1s', repeat_interval: '1s' };
  await writeFile(config, JSON.stringify({ route: { ...route, group_by: ['alertname'] }, receivers: [receiver] }));
  const { alertmanager: port } = await choosePorts([{ name: 'alertmanager', configured: 0 }], {});
  const address = `127.0.0.1:${port}`;
  const logFile = join(folder, 'alertmanager.log');
  const log = openSync(logFile, 'a');
  const [command = program, ...before] = inPlace(program);
  const args = [`--config.file=${config}`, `--storage.path=${join(folder, 'data')}`, '--cluster.listen-address='];
  const child = spawn(command, [...before, ...args, `--web.listen-address=${address}`], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    await poll(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const answer = await fetch(`http://${address}/-/ready`).catch(() => null);
      return answer?.ok === true ? true : null;
    }, AbortSignal.timeout(START_MS));
  } catch (error) {
    await stop();
    throw new Error(`Alertmanager does not start:\n${await readFile(logFile, 'utf8')}`, { cause: error });
  }
  return { address, stop };
}

/** The package of Debian has its templates below `/usr/share`: where it was only unpacked, it is shown them there. */
function inPlace(program: string): readonly string[] {
  const share = join(dirname(program), '..', 'share', 'prometheus');
  const needed = '/usr/share/prometheus';
  if (share === needed || !existsSync(join(share, 'alertmanager'))) return [program];
  const mounts = ['--dev-bind', '/', '/', '--tmpfs', '/usr/share', '--ro-bind', share, needed];
  return ['bwrap', ...mounts, '--die-with-parent', '--', program];
}
