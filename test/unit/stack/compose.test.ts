import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string | null>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly depends_on: object;
}

const text = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
const { services, configs } = parse(text, { merge: true }) as {
  services: Record<'worker' | 'gateway' | 'pipelines', Service>;
  configs: Record<string, { readonly content: string }>;
};
const { worker, gateway, pipelines } = services;

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

  test('starts only on request, reaches only Temporal and has only its own secrets', () => {
    expect(worker.profiles).toBeUndefined();
    expect(gateway.profiles).toEqual(['gateway']);
    expect(gateway.networks).toEqual(['temporal']);
    expect(gateway.command).toEqual(['longhaul', 'gateway', '--address', '0.0.0.0:8420']);
    const secrets = Object.keys(gateway.environment).filter((name) => /SECRET|TOKEN|KEY|PASSWORD/.test(name));
    expect(secrets).toEqual(['WEBHOOK_SECRET']);
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
