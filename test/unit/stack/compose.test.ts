import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { COMMON_ROLES, parseRoles, ROLES } from '../../../domain/shared/roles.ts';
import { temporalChild } from '../../../stack/temporal.ts';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string | null>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly volumes: readonly unknown[];
  readonly depends_on: object;
}

const text = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
const { services, configs } = parse(text, { merge: true }) as {
  services: Record<'worker' | 'gateway' | 'pipelines' | 'ledger' | 'ledger-worker', Service>;
  configs: Record<string, { readonly content: string }>;
};
const { worker, gateway, pipelines, ledger, 'ledger-worker': ledgerWorker } = services;

test('Temporal has the same dynamic configuration in docker-compose.yml and in the embedded stack', () => {
  const { args } = temporalChild({
    command: 'temporal',
    dataDir: '/data',
    logFile: '/data/temporal.log',
    env: {},
    port: 1,
    uiPort: 2,
    namespace: 'default',
    logLevel: 'warn',
    extraArgs: [],
  });
  const embedded = args.filter((_, at) => args[at - 1] === '--dynamic-config-value').map((value) => value.split('='));
  const written = parse(configs['temporal-dynamic-config']?.content ?? '') as Record<string, [{ value: unknown }]>;
  expect(Object.entries(written).map(([name, [{ value }]]) => [name, String(value)])).toEqual(embedded);
  // with the default, 20 a second, a chain of 100 activities takes 9 s on any machine
  expect(embedded).toContainEqual(['history.transferProcessorMaxPollRPS', '1000']);
});

// the gateway has the same settings as the worker, which test/compose tests in a container
describe('the gateway in docker-compose.yml', () => {
  test('has the image of the worker, the same restrictions, and the same health check', () => {
    expect(gateway).toMatchObject({
      image: worker.image,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    });
    expect(gateway.healthcheck).toEqual(worker.healthcheck);
    expect(worker.healthcheck.test.join(' ')).toContain("fetch('http://127.0.0.1:9464/readyz')");
    for (const { environment } of [worker, gateway]) expect(environment['LONGHAUL_METRICS_ADDRESS']).toMatch(/:9464$/);
  });

  test('starts only on request, reaches only Temporal and the ledger, and has only its own secrets', () => {
    expect(worker.profiles).toBeUndefined();
    expect(gateway.profiles).toEqual(['gateway']);
    expect(gateway.networks).toEqual(['temporal', 'database']);
    expect(gateway.command).toEqual(['longhaul', 'gateway', '--address', '0.0.0.0:8420']);
    const secrets = Object.keys(gateway.environment).filter((name) => /SECRET|TOKEN|KEY|PASSWORD/.test(name));
    expect(secrets).toEqual(['WEBHOOK_SECRET']);
    // the login that records decisions, not the owner's
    expect(gateway.environment).not.toHaveProperty('DATABASE_URL');
    expect(gateway.environment['DATABASE_GATES_URL']).toBe(ledger.environment['DATABASE_GATES_URL']);
  });
});

describe('the roles in docker-compose.yml', () => {
  test('have a service each, but for deploy: the image has no kubectl', () => {
    const served = Object.values(services).flatMap(({ image, command }) => {
      if (image !== worker.image || (command !== undefined && command[1] !== 'dist/workers/main.js')) return [];
      const given = command?.[command.indexOf('--roles') + 1];
      return given === undefined ? COMMON_ROLES : parseRoles(given);
    });
    expect(served.toSorted()).toEqual(ROLES.filter((role) => role !== 'deploy').toSorted());
  });

  test('of the ledger has its login that writes, and the blobs of the worker', () => {
    expect(ledgerWorker).toMatchObject({ image: worker.image, read_only: true, cap_drop: ['ALL'] });
    expect(ledgerWorker.profiles).toBeUndefined();
    expect(ledgerWorker.healthcheck).toEqual(worker.healthcheck);
    expect(ledgerWorker.networks).toEqual(['temporal', 'database']);
    expect(ledgerWorker.environment).not.toHaveProperty('DATABASE_URL');
    const url = ledgerWorker.environment['DATABASE_WRITER_URL'] ?? '';
    expect(url).toMatch(/^postgres:\/\/longhaul_writer:\$\{LEDGER_WRITER_PASSWORD:\?.*\}@postgres:5432\/longhaul$/);
    // what creates the logins knows their passwords
    expect(ledger.environment['DATABASE_WRITER_URL']).toBe(url);
    expect(ledgerWorker.volumes).toContain('cache:/var/cache/longhaul');
    expect(worker.volumes).toContain('cache:/var/cache/longhaul');
  });
});

describe('the service for programs of repositories in docker-compose.yml', () => {
  test('has the image of the worker, and neither secrets nor addresses in its environment', () => {
    expect(pipelines).toMatchObject({
      image: worker.image,
      profiles: ['pipelines'],
      read_only: true,
      cap_drop: ['ALL'],
    });
    expect(pipelines.healthcheck).toEqual(worker.healthcheck);
    expect(pipelines).not.toHaveProperty('env_file');
    expect(
      Object.keys(pipelines.environment).filter((name) => !/^LONGHAUL_(CONFIG|.*_DIR|METRICS_ADDRESS)$/.test(name)),
    ).toEqual([]);
    expect(pipelines.networks).toEqual(['temporal']);
    const [roles, variables] = ['--roles', '--variables'].map(
      (option) => pipelines.command?.[pipelines.command.indexOf(option) + 1],
    );
    expect([roles, variables]).toEqual(['pipelines', '/etc/longhaul/variables.json']);
    expect(JSON.parse(configs['pipelines-variables']?.content ?? '')).toMatchObject({
      TEMPORAL_ADDRESS: 'temporal:7233',
    });
  });
});
