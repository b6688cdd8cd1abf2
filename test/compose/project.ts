import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { choosePorts } from '../../stack/ports.ts';
import type { Engine } from './engine.ts';
import { createEstate } from './estate.ts';
import type { Estate } from './estate.ts';

/** Longhaul as in docker-compose.yml, on the test's own engine, with secrets and ports of one run. */
export interface Project {
  readonly estate: Estate;
  readonly apiKey: string;
  /** Ports on 127.0.0.1. */
  readonly ports: Readonly<Record<PublishedPort, number>>;
  /** Runs `docker compose` with these arguments. Returns stdout; rejects when it fails. */
  compose(...args: string[]): Promise<string>;
  /** Runs the `longhaul` of the worker's container. Returns its JSON; rejects when it fails. */
  longhaul<T>(...args: string[]): Promise<T>;
  /** Containers by service. */
  containers(): Promise<Map<string, Container>>;
  /** How often Docker has restarted the container of a service by itself. */
  restarts(service: string): Promise<number>;
  /** Removes everything, including volumes. */
  remove(): Promise<void>;
}

/** The ports that docker-compose.yml publishes, by the variable that changes them. */
export type PublishedPort = (typeof PORTS)[number];

const PORTS = ['TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'WEAVIATE_PORT', 'WEAVIATE_GRPC_PORT'] as const;

/** A container as `docker compose ps` shows it. */
interface Container {
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly Publishers: readonly { readonly URL: string; readonly PublishedPort: number }[] | null;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const COMPOSE_FILE = path.join(root, 'docker-compose.yml');
const CONFIGURATION = 'providers:\n  - { name: local, type: local, root: /repos }\n';

/**
 * Writes the files of an administrator (.env, longhaul.yaml); starts nothing. `signal` ends everything except `remove`.
 */
export async function createProject({ env: engineEnv, folder }: Engine, signal: AbortSignal): Promise<Project> {
  const estate = await createEstate(path.join(folder, 'repos'));
  const apiKey = randomBytes(24).toString('hex');
  const needs = PORTS.map((name) => ({ name, configured: 0 }));
  const ports = (await choosePorts(needs, {})) as Record<PublishedPort, number>;
  const settings = {
    POSTGRES_PASSWORD: randomBytes(24).toString('hex'),
    LEDGER_PASSWORD: randomBytes(24).toString('hex'),
    LEDGER_WRITER_PASSWORD: randomBytes(24).toString('hex'),
    LEDGER_GATES_PASSWORD: randomBytes(24).toString('hex'),
    WEAVIATE_API_KEY: apiKey,
    LONGHAUL_CONFIG_FILE: path.join(folder, 'longhaul.yaml'),
    LONGHAUL_REPOS: estate.folder,
    ...ports,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path.join(folder, '.env'), lines.join(''), { mode: 0o600 });
  await writeFile(settings.LONGHAUL_CONFIG_FILE, CONFIGURATION);
  const override = path.join(root, 'test/compose/override.yaml');
  const project = ['--project-name', 'longhaul-test', '--env-file', path.join(folder, '.env')];
  const files = ['--file', COMPOSE_FILE, '--file', override];
  const env = withoutSettings(engineEnv, Object.keys(settings));

  async function run(args: readonly string[], options: { cancelSignal?: AbortSignal }): Promise<string> {
    const command = ['compose', ...project, ...files, ...args];
    return (await execa('docker', command, { env, extendEnv: false, ...options })).stdout;
  }
  const compose: Project['compose'] = (...args) => run(args, { cancelSignal: signal });
  return {
    estate,
    apiKey,
    ports,
    compose,
    async longhaul<T>(...args: string[]) {
      return JSON.parse(await compose('exec', '--no-TTY', 'worker', 'longhaul', ...args)) as T;
    },
    async containers() {
      const output = await compose('ps', '--all', '--format', 'json');
      const list = output.split('\n').map((line) => JSON.parse(line) as Container);
      return new Map(list.map((container) => [container.Service, container]));
    },
    async restarts(service) {
      const id = (await compose('ps', '--all', '--quiet', service)).trim();
      const { stdout } = await execa('docker', ['inspect', '--format', '{{ .RestartCount }}', id], {
        env,
        extendEnv: false,
      });
      return Number(stdout);
    },
    async remove() {
      await run(['down', '--volumes', '--timeout', '20'], {});
    },
  };
}

/** The output of `docker compose` without the secrets: it must refuse to start, and name one. */
export async function refusalWithoutSecrets({ env }: Engine): Promise<string> {
  const { failed, stderr } = await execa(
    'docker',
    ['compose', '--env-file', '/dev/null', '--file', COMPOSE_FILE, 'config', '--quiet'],
    {
      env: withoutSettings(env, [
        'POSTGRES_PASSWORD',
        'LEDGER_PASSWORD',
        'LEDGER_WRITER_PASSWORD',
        'LEDGER_GATES_PASSWORD',
        'WEAVIATE_API_KEY',
      ]),
      extendEnv: false,
      reject: false,
    },
  );
  return failed ? stderr : '';
}

/** Names of the images in docker-compose.yml, except our own, and of the base image of Dockerfile. */
export async function imageNames({ compose }: Project): Promise<string[]> {
  const dockerfile = await readFile(path.join(root, 'Dockerfile'), 'utf8');
  const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1];
  if (base === undefined) throw new Error('Dockerfile has no line `ARG NODE_IMAGE=…`.');
  const names = (await compose('config', '--images')).split('\n').filter((name) => !name.startsWith('longhaul:'));
  return [...new Set([base, ...names])];
}

/** An environment that does not override the settings of the project's .env file. */
function withoutSettings(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  const ours = new Set([...names, 'LONGHAUL_IMAGE', 'LONGHAUL_BIND', 'GITHUB_TOKEN', 'TEMPORAL_NAMESPACE']);
  const kept = Object.entries(env).filter(([name]) => !ours.has(name) && !name.startsWith('COMPOSE_'));
  return { ...Object.fromEntries(kept), COMPOSE_BAKE: 'false' };
}
