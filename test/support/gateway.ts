import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import { execa } from 'execa';
import { pino } from 'pino';
import { loadConfig } from '../../activities/shared/config.ts';
import { createGatewayMetrics, type GatewayMetrics } from '../../client/gateway/metrics.ts';
import { createGateway } from '../../client/gateway/server.ts';
import { BIN, commandEnv } from './command.ts';
import type { Estate } from './estate.ts';

/** The webhook secret that the tests' forge and the gateway share. */
export const SECRET = "It's a Secret to Everybody";

/** A gateway that listens on loopback. */
export interface TestGateway {
  readonly url: string;
  readonly server: FastifyInstance;
  /** Its log so far: one JSON object per line. */
  readonly log: () => string;
  readonly metrics: GatewayMetrics;
  close(): Promise<void>;
}

/** Starts a gateway over an estate, with this section `gateway` in its longhaul.yaml. */
export async function startGateway(estate: Estate, client: Client, gateway: object): Promise<TestGateway> {
  configure(estate, gateway);
  const env = { WEBHOOK_SECRET: SECRET, LONGHAUL_DATA_DIR: estate.dataDir };
  const { config } = loadConfig({ path: estate.configPath, env });
  let log = '';
  const logger = pino({}, { write: (line: string) => void (log += line) });
  const metrics = createGatewayMetrics();
  const server = await createGateway({ config, env, client, logger, metrics });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, server, log: () => log, metrics, close: () => server.close() };
}

/** A process of `longhaul gateway`. */
export interface GatewayProcess {
  readonly url: string;
  /** The address of its metrics and health, `host:port`. */
  readonly metricsAddress: string;
  /** Stops it as an operator would. */
  stop(): Promise<{ exitCode: number | undefined; log: string }>;
}

/** Starts `longhaul gateway` for an estate, and waits until it listens. */
export async function startGatewayProcess(
  estate: Estate,
  gateway: Readonly<Record<string, unknown>>,
  more: NodeJS.ProcessEnv = {},
): Promise<GatewayProcess> {
  configure(estate, gateway);
  const env = commandEnv(estate, { WEBHOOK_SECRET: SECRET, ...more });
  const { address } = gateway;
  const own = typeof address === 'string' ? address : '127.0.0.1:0';
  const options = ['--address', own, '--metrics-address', '127.0.0.1:0'];
  const program = execa(process.execPath, [BIN, 'gateway', ...options], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  const [url, metricsAddress] = await new Promise<[string, string]>((resolve, reject) => {
    let log = '';
    const addressIn = (event: string): string | undefined =>
      new RegExp(`"event":"${event}","address":"([^"]+)"`).exec(log)?.[1];
    program.stderr.on('data', (data: Buffer) => {
      log += data.toString();
      const [gatewayAt, metricsAt] = [addressIn('gateway_ready'), addressIn('metrics_ready')];
      if (gatewayAt !== undefined && metricsAt !== undefined) resolve([gatewayAt, metricsAt]);
    });
    program.then(() => reject(new Error(`the gateway ended: ${log}`)), reject);
  });
  return {
    url,
    metricsAddress,
    stop: async () => {
      program.kill('SIGTERM');
      const { exitCode, stderr } = await program;
      return { exitCode, log: stderr };
    },
  };
}

function configure(estate: Estate, gateway: object): void {
  const given = JSON.parse(readFileSync(estate.configPath, 'utf8')) as object;
  writeFileSync(estate.configPath, JSON.stringify({ ...given, gateway }));
}

/** GitHub's signature of these bytes. */
export function signatureOf(body: string | Buffer, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Sends a delivery like GitHub. */
export async function deliver(
  url: string,
  event: string,
  payload: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const body = JSON.stringify(payload);
  const answer = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': signatureOf(body),
      ...headers,
    },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** The fields of a repository in GitHub's messages that the gateway reads. */
export function repositoryPayload(name: string, more: object = {}): object {
  const [login = '', repository = ''] = name.split('/');
  return {
    repository: { name: repository, full_name: name, owner: { login }, default_branch: 'main' },
    ...more,
  };
}
