import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../activities/shared/config.ts';
import { isSameModel, modelSettings } from '../../../activities/catalog/models.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

const folder = mkdtempSync(join(tmpdir(), 'longhaul-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  const path = join(folder, 'longhaul.yaml');
  writeFileSync(path, text);
  return loadConfig({ path, env: {} });
}

function refusal(text: string): string {
  try {
    load(text);
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'InvalidConfiguration') return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('longhaul.yaml', () => {
  test('the example of the documentation is right', () => {
    const { config } = load(`
providers:
  - { name: work,  type: github, url: https://github.com, tokenEnv: GITHUB_TOKEN }
  - { name: local, type: local,  root: ~/code }
`);
    expect(config.providers).toMatchObject([
      { name: 'work', type: 'github', archived: false, forks: false },
      { name: 'local', root: join(homedir(), 'code') },
    ]);
    expect(config.index).toEqual({ name: 'Longhaul', model: 'static', maxFileBytes: 1_000_000 });
  });

  test('forges have their own keys, and addresses lose a trailing slash', () => {
    const { config } = load(`
providers:
  - { name: lab, type: gitlab, tokenEnv: GITLAB_TOKEN }
  - { name: tea, type: gitea, url: "https://git.example.com/tea/", tokenEnv: GITEA_TOKEN }
  - { name: ado, type: azure-devops, organizations: [acme, "Old Org"], tokenEnv: AZURE_DEVOPS_TOKEN }
  - { name: bucket, type: bitbucket, workspaces: [acme], usernameEnv: EMAIL, tokenEnv: BITBUCKET_TOKEN }
`);
    expect(config.providers).toMatchObject([
      { url: 'https://gitlab.com', archived: false, forks: false },
      { url: 'https://git.example.com/tea', archived: false, forks: false },
      { url: 'https://dev.azure.com', organizations: ['acme', 'Old Org'], forks: false },
      { url: 'https://bitbucket.org', apiUrl: 'https://api.bitbucket.org/2.0', workspaces: ['acme'], forks: false },
    ]);
  });

  test('models have names, and index.model is one of them', () => {
    const { config } = load(`
models:
  small: { type: openai, url: "https://api.example.com/v1/", model: text-embedding-3-small, apiKeyEnv: THE_KEY }
  cohere:
    type: weaviate
    module: text2vec-cohere
    options: { model: embed-v4.0, truncate: END }
    apiKeyEnv: COHERE_KEY
    apiKeyHeader: X-Cohere-Api-Key
    budget: { requestsPerMinute: 100 }
index: { model: small }
weaviate: { modules: [text2vec-cohere] }
`);
    expect(config.models['small']).toMatchObject({
      url: 'https://api.example.com/v1',
      budget: { concurrency: 4 },
      batch: { inputs: 128, bytes: 250_000 },
      maxInputBytes: 8_191,
    });
    expect(modelSettings(config)).toEqual({
      type: 'openai',
      url: 'https://api.example.com/v1',
      model: 'text-embedding-3-small',
      dimensions: null,
      maxInputBytes: 8_191,
    });
    expect(modelSettings(config, 'onnx')).toEqual({ type: 'onnx' });
    expect(() => modelSettings(config, 'smal')).toThrow(/no model "smal": known are static, onnx, small, cohere/);
    expect(() => modelSettings(config, 'constructor')).toThrow(/no model "constructor"/);
    const cohere = modelSettings(config, 'cohere');
    expect(JSON.stringify(cohere)).not.toMatch(/KEY|Key|budget/);
    expect(isSameModel(cohere, JSON.parse(JSON.stringify(cohere)) as typeof cohere)).toBe(true);
    expect(isSameModel(cohere, modelSettings(config, 'small'))).toBe(false);
  });

  test.for([
    [
      'index: { model: smal }\nmodels: {}\n',
      /longhaul\.yaml:1: index\.model: there is no model "smal"; available: static, onnx/,
    ],
    ['models:\n  a: { type: openai, model: m }\n', /longhaul\.yaml:2: models\.a\.url is missing\.$/],
    ['models:\n  a: { type: openai, url: here, model: m }\n', /models\.a\.url must be an address such as/],
    ['models:\n  a: { type: openai, url: "https://h/v1", model: }\n', /models\.a\.model is empty\.$/],
    [
      'alerts: { channels: [{ name: a, type: email, smtpUrlEnv: S, from: me, to: [] }] }\n',
      /must be an e-mail address/,
    ],
    ['models:\n  a: { type: openai, url: "https://u:p@h/v1", model: m }\n', /without user, password/],
    ['models:\n  a: { type: openai, url: "https://h/v1?key=x", model: m }\n', /without user, password/],
    [
      'models:\n  a: { type: openai, url: "https://h/v1", modell: m }\n',
      /longhaul\.yaml:2: unknown key "models\.a\.modell"; did you mean "model"\?/,
    ],
    [
      'models:\n  a:\n    type: openai\n    url: "https://h/v1"\n    model: m\n    budget: { requestPerMinute: 1 }\n',
      /longhaul\.yaml:6: unknown key "models\.a\.budget\.requestPerMinute"; did you mean "requestsPerMinute"\?/,
    ],
    [
      'models:\n  "a b": { type: openai, url: "https://h/v1", model: m }\n',
      /use letters, digits, dot, dash and underscore, at most 40, in names/,
    ],
    ['models:\n  static: { type: openai, url: "https://h/v1", model: m }\n', /taken by a built-in model/],
    ['models:\n  a: { type: weaviate, module: text2vec-x, options: { apiKey: sk } }\n', /apiKeyEnv and apiKeyHeader/],
    ['models:\n  a: { type: weaviate, module: text2vec-x, apiKeyEnv: KEY }\n', /both apiKeyEnv and apiKeyHeader/],
    ['models:\n  a: { type: openai, url: "https://h/v1", model: m, apiKeyEnv: "sk-x" }\n', /environment variable/],
    ['models:\n  a: { type: remote }\n', /longhaul\.yaml:2: models\.a\.type must be one of openai, weaviate\.$/],
    ['weaviate: { modules: ["x, y"] }\n', /name of a module/],
    [
      'gateway:\n  webhooks:\n    - { provider: work, secretEnv: S }\n',
      /longhaul\.yaml:3: gateway\.webhooks\.0: there is no provider "work"/,
    ],
    ['gateway: { adress: "a:1" }\n', /unknown key "gateway\.adress"; did you mean "address"\?/],
    [
      'alerts: { channels: [{ name: a, type: slack, urlEnvv: U }] }\n',
      /unknown key "alerts\.channels\.0\.urlEnvv"; did you mean "urlEnv"\?/,
    ],
    ['alerts: { staleafter: 1d }\n', /unknown key "alerts\.staleafter"; did you mean "staleAfter"\?/],
    ['stack: { temporalport: 1 }\n', /unknown key "stack\.temporalport"; did you mean "temporalPort"\?/],
    ['gateway: { address: "8420" }\n', /give host:port/],
    ['gateway: { keys: [{ id: 0123456789ab, name: ci, hash: "lh_0123456789ab_x" }] }\n', /never the key itself/],
  ] as const)('%j is refused: %s', ([text, message]) => {
    expect(refusal(text)).toMatch(message);
  });

  test('an empty file means the defaults', () => {
    expect(load('').config.providers).toEqual([]);
  });

  test('the environment wins over the file for folders', () => {
    const path = join(folder, 'longhaul.yaml');
    writeFileSync(path, 'dataDir: ./d\ncacheDir: ./c\n');
    expect(loadConfig({ path, env: {} })).toMatchObject({ dataDir: join(folder, 'd'), cacheDir: join(folder, 'c') });
    expect(loadConfig({ path, env: { LONGHAUL_DATA_DIR: '/x' } }).dataDir).toBe('/x');
  });

  test.for([
    ['provider: []\n', /longhaul\.yaml:1: unknown key "provider"; did you mean "providers"\?/],
    ['index:\n  nmae: X\n', /longhaul\.yaml:2: unknown key "index\.nmae"; did you mean "name"\?/],
    [
      'providers:\n  - { name: a, type: local, rot: /x }\n',
      /longhaul\.yaml:2: unknown key "providers\.0\.rot"; did you mean "root"\?/,
    ],
    [
      'providers:\n  - { name: a, type: svn }\n',
      /longhaul\.yaml:2: providers\.0\.type must be one of github, gitlab, /,
    ],
    ['providers:\n  - { name: a }\n', /longhaul\.yaml:2: providers\.0\.type is missing: give one of github, gitlab, /],
    ['providers:\n  - { type: github }\n', /longhaul\.yaml:2: providers\.0\.name is missing\.$/],
    ['providers: { name: a }\n', /longhaul\.yaml:1: providers must be a list, not keys with values\.$/],
    ['github\n', /longhaul\.yaml: the document must be keys with values, not a text\.$/],
    ['index: { name: 7 }\n', /index\.name must be a text, not a number\.$/],
    ['index: { maxFileBytes: 5 }\n', /index\.maxFileBytes must be at least 1000\.$/],
    ['alerts: { failingRuns: 1.5 }\n', /alerts\.failingRuns must be a whole number\.$/],
    ['providers:\n  - { name: a, type: local, root: /x }\n  - { name: a, type: local, root: /y }\n', /same name/],
    ['index: { maxFileBytes: many }\n', /longhaul\.yaml:1: index\.maxFileBytes must be a number, not a text\.$/],
    ['index:\n  name: A\n  name: B\n', /longhaul\.yaml:3: .*"name" is not unique/],
    ['a: &a [*a]\n', /longhaul\.yaml/],
    ['x: !!js/function "f"\n', /longhaul\.yaml:1/],
    ['providers:\n  - { name: a, type: gitea }\n', /longhaul\.yaml:2: providers\.0\.url/],
    ['providers:\n  - { name: a, type: azure-devops, organizations: [] }\n', /providers\.0\.organizations/],
    ['providers:\n  - { name: a, type: bitbucket, workspaces: [../x] }\n', /give the name as in addresses/],
    ['providers:\n  - { name: a, type: bitbucket, workspace: [x] }\n', /did you mean "workspaces"/],
    ['providers:\n  - { name: a, type: gitlab, tokenEnv: glpat-abc }\n', /environment variable/],
    ['providers: [\n', /longhaul\.yaml:/],
    ['providers:\n  - { name: a, type: github, tokenEnv: "ghp_secret token" }\n', /environment variable/],
    [
      `a: &a ["x","x"]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n`,
      /longhaul\.yaml/,
    ],
  ] as const)('%j is refused in one sentence that says where', ([text, message]) => {
    expect(refusal(text)).toMatch(message);
    expect(refusal(text)).not.toContain('\n');
  });

  test('a huge file is refused before it is parsed', () => {
    expect(refusal(`# ${'x'.repeat(1_100_000)}`)).toMatch(/larger than/);
  });

  test('a missing file that was named is rejected', () => {
    expect(() => loadConfig({ path: join(folder, 'none.yaml'), env: {} })).toThrow(/no such file/);
    expect(() => loadConfig({ env: { LONGHAUL_CONFIG: join(folder, 'none.yaml') } })).toThrow(/no such file/);
  });
});
