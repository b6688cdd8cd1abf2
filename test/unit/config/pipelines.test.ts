import { describe, expect, test } from 'vitest';
import { sandboxSettings } from '../../../activities/sandbox/sandbox-settings.ts';
import { reachOf } from '../../../client/cli/config/reach.ts';
import { pipelinesEnvironment } from '../../../client/cli/stack/pipelines-environment.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { homedir } from 'node:os';

describe('the section `pipelines`', () => {
  test('isolates and gives no network unless it says otherwise', () => {
    const { pipelines } = configSchema.parse({});
    expect(pipelines).toMatchObject({ sandbox: 'bubblewrap', network: false, toolchains: [] });
    expect(configSchema.parse({ pipelines: { limits: { processes: 100 } } }).pipelines.limits).toEqual({
      ...pipelines.limits,
      processes: 100,
    });
  });

  test.each([
    { sandbox: 'docker' },
    { toolchains: ['go'] },
    { toolchains: ['/'] },
    { scratch: 'relative' },
    { limits: { processes: 1 } },
    { limits: { memory: 1 } },
  ])('refuses %j', (pipelines) => {
    expect(configSchema.safeParse({ pipelines }).success).toBe(false);
  });

  test('makes absolute paths of its folders, and has one for the files of programs', () => {
    const config = configSchema.parse({ pipelines: { toolchains: ['~/tools/go'] } });
    const { toolchains, scratch } = sandboxSettings({ config, cacheDir: '/var/cache/longhaul' }, {});
    expect(toolchains).toEqual([`${homedir()}/tools/go`]);
    expect(scratch).toBe(process.getuid?.() === 0 ? '/var/tmp/longhaul-pipelines' : '/var/cache/longhaul/pipelines');
    const named = configSchema.parse({ pipelines: { scratch: '/srv/programs' } });
    expect(sandboxSettings({ config: named, cacheDir: '/c' }, {}).scratch).toBe('/srv/programs');
  });

  test('is shown before a file is trusted', () => {
    const config = configSchema.parse({
      pipelines: { sandbox: 'none', network: true, toolchains: ['/opt/go'], scratch: '/srv/programs' },
    });
    expect(reachOf(config)).toEqual(
      expect.arrayContaining([
        'runs programs of repositories without isolation (pipelines)',
        'gives programs of repositories the network (pipelines)',
        'reads /opt/go (pipelines)',
        'reads /srv/programs (pipelines)',
      ]),
    );
    expect(reachOf(configSchema.parse({})).join('\n')).not.toContain('programs of repositories');
  });
});

test('clusters that a configuration deploys to are shown before it is trusted', () => {
  const deploy = { key: '/etc/longhaul/deploy.key', kubeconfig: '/etc/longhaul/kubeconfig', kubectl: '/opt/kubectl' };
  expect(reachOf(configSchema.parse({ deploy }))).toEqual(
    expect.arrayContaining([
      'reads /etc/longhaul/deploy.key (deploy)',
      'runs /opt/kubectl, with the clusters of /etc/longhaul/kubeconfig (deploy)',
    ]),
  );
  expect(reachOf(configSchema.parse({})).join('\n')).not.toContain('kubectl');
});

test('the environment of a worker is divided: nothing secret stays in it, and tokens of forges go nowhere', () => {
  const { env, variables } = pipelinesEnvironment(
    {
      PATH: '/usr/bin',
      HOME: '/home/ada',
      LONGHAUL_LOG_LEVEL: 'debug',
      LONGHAUL_CONFIG: '/etc/longhaul.yaml',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_API_KEY: 'the key',
      AWS_SECRET_ACCESS_KEY: 'the secret',
      https_proxy: 'http://me:password@proxy',
      GITHUB_TOKEN: 'ghp_token',
      WEAVIATE_API_KEY: 'another key',
      LONGHAUL_LEDGER_PASSWORD: 'a password',
      NPM_TOKEN_OF_CI: 'for jobs',
    },
    configSchema.parse({
      pipelines: { secrets: { NPM_TOKEN: { valueEnv: 'NPM_TOKEN_OF_CI', repositories: ['work/*'] } } },
    }),
  );
  expect(env).toEqual({ PATH: '/usr/bin', HOME: '/home/ada', LONGHAUL_LOG_LEVEL: 'debug' });
  expect(JSON.parse(variables)).toEqual({
    LONGHAUL_CONFIG: '/etc/longhaul.yaml',
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_API_KEY: 'the key',
    AWS_SECRET_ACCESS_KEY: 'the secret',
    https_proxy: 'http://me:password@proxy',
    NPM_TOKEN_OF_CI: 'for jobs',
  });
});
