import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath } from '../../../platform/program.ts';
import { poll } from '../../../stack/child.ts';
import { choosePorts } from '../../../stack/ports.ts';

/** A real Prometheus on loopback. */
export interface Prometheus {
  readonly url: string;
  /** The value of an expression with one result now: null without a sample, NaN where there is no number. */
  value(expression: string): Promise<number | null>;
  stop(): Promise<void>;
}

/** Alerts of a Prometheus. */
export interface PrometheusAlerting {
  /** `host:port` of the Alertmanager. */
  readonly alertmanager: string;
  /** Its alerting rules, as its files of rules have them. */
  readonly rules: readonly object[];
}

const START_MS = 60_000;

/**
 * Starts a Prometheus with its data in a folder, which scrapes the services of a cluster (`Cluster.service`) twice a
 * second. It is the program `prometheus` on PATH: `.ci/tools` fetches the package of Debian.
 */
export async function startPrometheus(
  folder: string,
  service: string,
  alerting: PrometheusAlerting | null = null,
): Promise<Prometheus> {
  const program = await findOnPath('prometheus', process.env);
  if (program === null) {
    throw new Error('Prometheus is not on PATH: install it, or add the folder to PATH that `.ci/tools` prints.');
  }
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'prometheus.yml');
  const rules = join(folder, 'rules.yml');
  if (alerting !== null) {
    await writeFile(rules, JSON.stringify({ groups: [{ name: 'alerts', rules: alerting.rules }] }));
  }
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
      scrape_configs: [{ job_name: 'services', static_configs: [{ targets: [new URL(service).host] }] }],
      ...(alerting === null
        ? {}
        : {
            rule_files: [rules],
            alerting: { alertmanagers: [{ static_configs: [{ targets: [alerting.alertmanager] }] }] },
          }),
    }),
  );
  const { prometheus: port } = await choosePorts([{ name: 'prometheus', configured: 0 }], {});
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'prometheus.log');
  const log = openSync(logFile, 'a');
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const child = spawn(program, [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    await poll(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const answer = await fetch(`${url}/-/ready`).catch(() => null);
      return answer?.ok === true ? true : null;
    }, AbortSignal.timeout(START_MS));
  } catch (error) {
    await stop();
    throw new Error(`Prometheus does not start:\n${await readFile(logFile, 'utf8')}`, { cause: error });
  }
  return {
    url,
    async value(expression) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`);
      if (!response.ok) throw new Error(`${expression}: ${await response.text()}`);
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      if (data.result.length > 1) throw new Error(`${expression} has ${data.result.length} results.`);
      const [first] = data.result;
      return first === undefined ? null : Number(first.value[1]);
    },
    stop,
  };
}
