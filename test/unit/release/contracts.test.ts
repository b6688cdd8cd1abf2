import { Ajv2020 } from 'ajv/dist/2020.js';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { readContractFolder } from '../../../activities/release/contracts/contract-folder.ts';
import { checkContracts, type ContractFile } from '../../../activities/release/contracts/contracts.ts';
import { readContracts, storeContracts } from '../../../activities/release/contracts/stored-contracts.ts';
import { checkCommand } from '../../../client/cli/release/check.ts';
import { doesNothing } from '../../../domain/release/contracts/empty-step.ts';
import { JSON_SCHEMAS } from '../../../domain/release/contracts/json-schemas.schema.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

/** The contracts of the release workflows in docs/release.md and of gryt's own documents. */
const FULL_CI = file('pipelines/full-ci.yaml', 'name: full-ci\nsteps:\n  - {name: test, command: "go test ./..."}\n');

function file(path: string, text: string): ContractFile {
  return { path, text };
}

function problemsOf(...files: ContractFile[]): readonly string[] {
  return checkContracts({ name: '.gryt', files }).problems;
}

function generation(text: string, version = 'v1.5.0'): ContractFile {
  return file(`generations/${version}.yaml`, `version: ${version}\n${text}`);
}

const change = (fields: string): ContractFile => generation(`changes:\n  - {${fields}}\n`);

describe('a generation', () => {
  test('has changes, each with an id, a type and a title; the rest is optional', () => {
    const written = generation(
      'description: "User authentication"\nchanges:\n' +
        '  - type: add\n    id: FEAT-201\n    title: "OAuth2 login support"\n' +
        '  - {title: Billing, change_id: TEAM-A-1, type: refine, team: Team A, pipeline: full-ci, description: more}\n' +
        'pipeline_template: full-ci\nstatus: draft\n',
    );
    const { contracts, problems } = checkContracts({ name: '.longhaul', files: [written, FULL_CI] });
    expect(problems).toEqual([]);
    expect(contracts.generations).toEqual({
      'v1.5.0': {
        version: 'v1.5.0',
        description: 'User authentication',
        pipeline_template: 'full-ci',
        status: 'draft',
        changes: [
          { id: 'FEAT-201', type: 'add', title: 'OAuth2 login support', description: '' },
          {
            id: 'TEAM-A-1',
            type: 'refine',
            title: 'Billing',
            description: 'more',
            team: 'Team A',
            pipeline: 'full-ci',
          },
        ],
      },
    });
  });

  test.each(['FEAT-201', 'TEAM-A-1', 'FIX-LEAK', 'CRIT-500', 'A-1'])('may have a change called %s', (id) => {
    expect(problemsOf(change(`id: ${id}, type: fix, title: x`))).toEqual([]);
  });

  test.each(['feat-201', 'FEAT', 'FEAT_201', '-1', 'FEAT-', '1-FEAT', 'FEAT-2-', `F-${'1'.repeat(60)}`])(
    'may not have a change called %s',
    (id) => {
      expect(problemsOf(change(`id: "${id}", type: fix, title: x`))).toEqual([
        '.gryt/generations/v1.5.0.yaml:3: changes.0.id must be capital letters and digits in parts with dashes, such as FEAT-201.',
      ]);
    },
  );

  test('reports everything that is wrong at once, each with its line and the nearest known key', () => {
    const wrong = generation(
      'changes:\n  - {id: A-1, type: add, titel: x}\n  - {id: A-2, type: added, title: x}\n  - {type: fix, title: x}\n  - {id: A-3, change_id: A-3, type: fix, title: x}\n',
    );
    expect(problemsOf(wrong)).toEqual([
      '.gryt/generations/v1.5.0.yaml:3: changes.0.title is missing.',
      '.gryt/generations/v1.5.0.yaml:3: unknown key "changes.0.titel"; did you mean "title"?',
      '.gryt/generations/v1.5.0.yaml:4: changes.1.type must be one of fix, refine, add, remove.',
      '.gryt/generations/v1.5.0.yaml:5: changes.2.id is missing.',
      '.gryt/generations/v1.5.0.yaml:6: changes.3.change_id is another name of id: give one of the two.',
    ]);
  });

  test('that is wrong is checked for what it names, too', () => {
    const wrong = generation(
      'pipeline_template: full\nchanges:\n  - {id: A-1, type: added, title: x}\n  - {id: A-1, type: add, title: y, pipeline: fast}\n  - 7\n',
    );
    expect(problemsOf(wrong, FULL_CI)).toEqual([
      '.gryt/generations/v1.5.0.yaml:4: changes.0.type must be one of fix, refine, add, remove.',
      '.gryt/generations/v1.5.0.yaml:6: changes.2 must be keys with values, not a number.',
      '.gryt/generations/v1.5.0.yaml:2: there is no pipeline "full"; there are full-ci.',
      '.gryt/generations/v1.5.0.yaml:5: there is no pipeline "fast"; there are full-ci.',
      '.gryt/generations/v1.5.0.yaml:5: there is another change with the id A-1.',
    ]);
    expect(
      problemsOf(
        file('policy.yaml', 'default_pipeline: full\npolicies: [{}]\n'),
        file('pipelines/ci.yaml', 'name: ci\njobs:\n  a: {needs: [b], timeouts: 1}\n  b: {needs: [a, c]}\n'),
      ),
    ).toEqual([
      '.gryt/policy.yaml:2: policies.0.name is missing.',
      expect.stringContaining('.gryt/pipelines/ci.yaml:3: ') as string,
      expect.stringContaining('.gryt/pipelines/ci.yaml:3: ') as string,
      expect.stringContaining('.gryt/pipelines/ci.yaml:4: ') as string,
      '.gryt/policy.yaml:1: there is no pipeline "full"; there are ci.',
      '.gryt/pipelines/ci.yaml:4: job b needs c, which does not exist.',
      '.gryt/pipelines/ci.yaml:3: these jobs need each other: a -> b -> a.',
    ]);
  });

  test.each(['1.5', 'v1.5.0-rc.1', 'v01.5.0', 'latest', '1'])('may not have the version %s', (version) => {
    const [problem] = problemsOf(
      file('generations/v1.yaml', `version: "${version}"\nchanges: [{id: A-1, type: add, title: x}]`),
    );
    expect(problem).toBe(
      '.gryt/generations/v1.yaml:1: version must be a version such as v1.5.0: three numbers, without leading zeros.',
    );
  });

  test('has its version as the name of its file, and two changes with one id are refused', () => {
    expect(
      problemsOf(
        file('generations/v1.5.1.yaml', 'version: v1.5.0\nchanges: [{id: A-1, type: add, title: x}]'),
        file(
          'generations/2.0.0.yml',
          'version: 2.0.0\nchanges:\n - {id: A-1, type: add, title: x}\n - {id: A-1, type: fix, title: y}',
        ),
      ),
    ).toEqual([
      '.gryt/generations/v1.5.1.yaml:1: the file is called v1.5.1, but its version is v1.5.0.',
      '.gryt/generations/2.0.0.yml:4: there is another change with the id A-1.',
    ]);
  });

  test('names pipelines that exist', () => {
    const asks = generation('pipeline_template: full\nchanges:\n  - {id: A-1, type: add, title: x, pipeline: fast}\n');
    expect(problemsOf(asks, FULL_CI)).toEqual([
      '.gryt/generations/v1.5.0.yaml:2: there is no pipeline "full"; there are full-ci.',
      '.gryt/generations/v1.5.0.yaml:4: there is no pipeline "fast"; there are full-ci.',
    ]);
  });

  test.each([
    ['a duplicate key', 'version: v1.5.0\nversion: v1.5.0\n', 'the key "version" is not unique'],
    ['a tab', 'version:\tv1.5.0\n\tchanges: []\n', ':2:'],
    ['anchors that explode', bomb(), 'there are more than 50 aliases'],
    ['another document', 'version: v1.5.0\n---\nversion: v1.6.0\n', 'multiple documents'],
    ['nothing', '', 'version is missing'],
    ['a list', '- 1\n', 'must be keys with values'],
  ])('that is %s is refused', (_what, text, said) => {
    const [problem] = problemsOf(file('generations/v1.5.0.yaml', text));
    expect(problem).toContain(said);
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
  return ['a0: &a0 [x,x,x,x,x,x,x,x,x]', ...levels].join('\n');
}

describe('policies', () => {
  test('are read in the documented form, and in the form of the program gryt', () => {
    const documented = file(
      'policy.yaml',
      'default_pipeline: full-ci\npolicies:\n' +
        '  - {name: e2e, applies_to: [add], required_steps: [e2e-tests], description: All features}\n' +
        '  - {name: least, min_evolutions: 2}\n  - {name: range, team: Team A, versions: 1.x}\n',
    );
    const gryt = file(
      'policies.yaml',
      'policies:\n  - {name: e2e, type: change_type, description: All features, config: {change_types: [add], required_steps: [e2e-tests]}}\n' +
        '  - {name: least, type: evolution_count, config: {min_evolutions: 2}}\n  - {name: off, type: custom, enabled: false, config: {custom_hook: ./x}}\n' +
        'alerts: {slack: {url: https://example.com}}\n',
    );
    const all = ['add', 'fix', 'refine', 'remove'];
    const [one, other] = [documented, gryt].map((policy) => {
      const { contracts, problems } = checkContracts({ name: '.gryt', files: [policy, FULL_CI] });
      expect(problems).toEqual([]);
      return contracts.policy;
    });
    expect(one?.default_pipeline).toBe('full-ci');
    expect(one?.policies.slice(0, 2)).toEqual(other?.policies);
    expect(one?.policies[0]).toEqual({
      name: 'e2e',
      description: 'All features',
      applies_to: ['add'],
      required_steps: ['e2e-tests'],
    });
    expect(one?.policies[1]?.applies_to.toSorted()).toEqual(all);
    expect(one?.policies[2]).toMatchObject({ team: 'Team A', versions: '1.x' });
  });

  test('that ask for nothing, twice the same, or the impossible are refused', () => {
    expect(
      problemsOf(
        file(
          'policy.yaml',
          'default_pipeline: none\npolicies:\n  - {name: a}\n  - {name: b, required_steps: [x]}\n  - {name: b, min_evolutions: 1}\n' +
            '  - {name: c, team: Team A}\n  - {name: d, team: T, versions: sometimes}\n',
        ),
        file('policies.yaml', 'policies:\n  - {name: h, type: custom, config: {custom_hook: ./hook.py}}\n'),
      ),
    ).toEqual([
      '.gryt/policies.yaml:2: policies.0.type: a hook cannot be run as a policy: make it a step of the pipeline and require that step.',
      '.gryt/policies.yaml: there is policy.yaml too; keep one of the two.',
      '.gryt/policy.yaml:1: there is no pipeline "none".',
      '.gryt/policy.yaml:3: the policy "a" asks for nothing: give required_steps, min_evolutions, or team and versions.',
      '.gryt/policy.yaml:5: there is another policy with the name "b".',
      '.gryt/policy.yaml:6: team and versions belong together: give both.',
      '.gryt/policy.yaml:7: "sometimes" is not a range of versions such as 1.x or >=2.0.0 <3.0.0.',
    ]);
  });
});

describe('a pipeline', () => {
  const pipeline = (text: string): ContractFile => file('pipelines/ci.yaml', `name: ci\n${text}`);

  test('with steps has one job, with the name of the pipeline', () => {
    const { contracts, problems } = checkContracts({
      name: '.gryt',
      files: [
        pipeline(
          'steps:\n  - {name: a, command: "true"}\n  - {name: b, run: [node, -v], timeout: 5m, env: {N: 3, ON: true}}\n',
        ),
      ],
    });
    expect(problems).toEqual([]);
    const { ci } = contracts.pipelines;
    expect(Object.keys(ci?.jobs ?? {})).toEqual(['ci']);
    expect(ci?.jobs['ci']).toMatchObject({
      needs: [],
      retries: 0,
      timeout: 3_600,
      network: false,
      if: { result: 'success' },
    });
    expect(ci?.jobs['ci']?.steps).toEqual([
      { name: 'a', command: 'true', env: {} },
      { name: 'b', run: ['node', '-v'], timeout: 300, env: { N: '3', ON: 'true' } },
    ]);
  });

  test.each([
    ['neither steps nor jobs', 'env: {}', ': the document: give either steps, for one job, or jobs.'],
    [
      'a step without a program',
      'steps: [{name: a}]',
      ':2: steps.0: give either command, a text for bash, or run, a list of program and arguments.',
    ],
    ['a step with two programs', 'steps: [{name: a, command: x, run: [x]}]', ':2: steps.0: give either command'],
    [
      'two steps with one name',
      'steps: [{name: a, command: x}, {name: a, command: y}]',
      ':2: steps: two steps have the same name.',
    ],
    [
      'a variable of Longhaul',
      'env: {LONGHAUL_OUTPUT: x}\nsteps: [{name: a, command: x}]',
      'names that begin with LONGHAUL_ are set by Longhaul.',
    ],
    [
      'a job that needs another that is not there',
      'jobs: {a: {needs: [b], steps: [{name: a, command: x}]}}',
      ':2: job a needs b, which does not exist.',
    ],
    [
      'a matrix that is too large',
      `jobs: {a: {matrix: {x: ${numbers(17)}, y: ${numbers(17)}}, steps: [{name: a, command: x}]}}`,
      ':2: the matrix of job a has more than 256 combinations.',
    ],
    [
      'a matrix without combinations',
      'jobs: {a: {matrix: {x: [1], exclude: [{x: 1}]}, steps: [{name: a, command: x}]}}',
      ':2: the matrix of job a has no combination.',
    ],
    ...[
      ['a value that is twice', '{node: [22, 22]}', 'a (22)'],
      ['a number and the same text', '{node: [22, "22"]}', 'a (22)'],
      ['two equal inclusions', '{include: [{x: 1}, {x: 1}]}', 'a (1)'],
      ['values that read like others', '{x: ["1, 2", 1], y: ["3", "2, 3"]}', 'a (1, 2, 3)'],
    ].map(([what = '', matrix = '', id = '']): [string, string, string] => [
      `a matrix with ${what}`,
      `jobs: {a: {matrix: ${matrix}, steps: [{name: a, command: x}]}}`,
      `:2: the matrix of job a has several combinations "${id}": each has a job of its own name.`,
    ]),
    [
      'an unknown key of a job',
      'jobs: {a: {need: [b], steps: [{name: a, command: x}]}}',
      ':2: unknown key "jobs.a.need"; did you mean "needs"?',
    ],
    [
      'an expression language',
      'jobs: {a: {if: "failure()", steps: [{name: a, command: x}]}}',
      ':2: jobs.a.if must be keys with values, not a text.',
    ],
  ])('with %s is refused', (_what, text, said) => {
    expect(problemsOf(pipeline(text)).join('\n')).toContain(said);
  });

  test('with a cycle of needs is refused, and the cycle is shown', () => {
    const job = (needs: string): string => `{needs: [${needs}], steps: [{name: s, command: x}]}`;
    expect(
      problemsOf(pipeline(`jobs:\n  a: ${job('')}\n  b: ${job('a, d')}\n  c: ${job('b')}\n  d: ${job('c')}\n`)),
    ).toEqual(['.gryt/pipelines/ci.yaml:4: these jobs need each other: b -> d -> c -> b.']);
  });
});

function numbers(count: number): string {
  return `[${Array.from({ length: count }, (_, index) => index).join(', ')}]`;
}

describe('the folder', () => {
  async function folderWith(...paths: string[]): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'longhaul-contracts-'));
    for (const path of paths) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), 'name: x\n');
    }
    return root;
  }

  test('is .longhaul or .gryt; other files in it are not read', async () => {
    const root = await folderWith(
      '.gryt/policy.yaml',
      '.gryt/pipelines/a.yml',
      '.gryt/pipelines/a/b.yaml',
      '.gryt/gryt.db',
    );
    const { name, files } = await readContractFolder(root);
    expect(name).toBe('.gryt');
    expect(files.map(({ path }) => path)).toEqual(['policy.yaml', 'pipelines/a.yml']);
  });

  test('must be there, and only once', async () => {
    await expect(readContractFolder(await folderWith('README.md'))).rejects.toMatchObject({
      type: 'InvalidConfiguration',
    });
    await expect(readContractFolder(await folderWith('.gryt/policy.yaml', '.longhaul/policy.yaml'))).rejects.toThrow(
      'has .longhaul and .gryt: keep one of the two.',
    );
  });
});

/** An environment called production. */
const PRODUCTION = `environments:
  - {name: production, context: p, namespace: shop, services: {api: {manifests: {folder: k8s}}}}
`;

describe('a job that deploys', () => {
  const DEPLOYS =
    'name: ship\njobs:\n  build: {steps: [{name: b, run: [make]}]}\n  rollout: {needs: [build], deploy: production}\n';

  test('has no steps, and names an environment', async () => {
    const both = 'name: ship\njobs: {a: {deploy: production, steps: [{name: b, run: [make]}]}}\n';
    expect(problemsOf(file('pipelines/ship.yaml', both))).toEqual([
      expect.stringContaining('give either steps, or deploy with the name of an environment'),
    ]);
    expect(problemsOf(file('pipelines/ship.yaml', 'name: ship\njobs: {a: {needs: []}}\n'))).toHaveLength(1);
    const root = await mkdtemp(join(tmpdir(), 'longhaul-deploy-'));
    await mkdir(join(root, '.longhaul/pipelines'), { recursive: true });
    await writeFile(join(root, '.longhaul/pipelines/ship.yaml'), DEPLOYS);
    const io = memoryIo();
    expect(await checkCommand(root, {}, io)).toBe(2);
    expect(io.err()).toContain('pipelines/ship.yaml:4: there is no environment "production"; there are none.');
    await writeFile(join(root, '.longhaul/environments.yaml'), PRODUCTION);
    expect(await checkCommand(root, {}, io)).toBe(0);
    expect(io.out()).toContain('1 pipelines, 0 policies, all valid');
  });
});

describe('environments', () => {
  const FROM = 'from: {repository: work/acme/environments, path: shop.yaml}\n';

  test('may be those of another repository, which are not known here', () => {
    const ship = file('pipelines/ship.yaml', 'name: ship\njobs: {ship: {deploy: production}}\n');
    const { contracts, problems } = checkContracts({
      name: '.longhaul',
      files: [file('environments.yaml', FROM), ship],
    });
    expect(problems).toEqual([]);
    expect(contracts).toMatchObject({
      environments: [],
      environmentsFrom: { repository: 'work/acme/environments', path: 'shop.yaml' },
    });
  });

  test('of another repository are checked, and named, where they are', () => {
    const from = { repository: 'work/acme/environments', path: 'shop.yaml', commit: 'a'.repeat(40) };
    const shared = (text: string) =>
      checkContracts({ name: '.longhaul', files: [{ path: 'environments.yaml', text, from }] });
    expect(shared(PRODUCTION).contracts).toMatchObject({
      environmentsFrom: null,
      environments: [{ name: 'production' }],
    });
    expect(shared(FROM).problems).toEqual([
      expect.stringMatching(
        /^shop\.yaml of work\/acme\/environments at a{12}:1: a shared file has the environments itself/,
      ),
    ]);
  });

  test.each([
    ['both', `${FROM}${PRODUCTION}`, 'give environments, or from'],
    ['a path outside', 'from: {repository: work/acme/environments, path: ../shop.yaml}', 'inside the repository'],
    ['another kind of file', 'from: {repository: work/acme/environments, path: keys.txt}', 'must end in .yaml'],
    ['no repository', 'from: {repository: environments, path: shop.yaml}', 'from.repository'],
  ])('of another repository are refused with %s', (_what, text, message) => {
    const { problems } = checkContracts({ name: '.longhaul', files: [file('environments.yaml', text)] });
    expect(problems.join('\n')).toContain(message);
  });

  const service = (rest: string): string =>
    `environments:\n  - name: staging\n    context: test\n    namespace: shop\n    services: {api: {${rest}}}\n`;
  const problems = (text: string): readonly string[] =>
    checkContracts({ name: '.longhaul', files: [{ path: 'environments.yaml', text }] }).problems;

  test('are read in their order, with defaults', () => {
    const text = `environments:
  - {name: staging, context: a, namespace: shop, services: {api: {manifests: {folder: k8s}}}}
  - {name: production, context: b, namespace: shop, watch: 1h, services: {api: {manifests: {kustomize: k8s}}}}
`;
    const { contracts } = checkContracts({ name: '.gryt', files: [{ path: 'environments.yml', text }] });
    expect(
      contracts.environments.map(({ name, watch, failed_checks, concurrency, irreversible }) => ({
        name,
        watch,
        failed_checks,
        concurrency,
        irreversible,
      })),
    ).toEqual([
      { name: 'staging', watch: 600, failed_checks: 3, concurrency: 'wait', irreversible: 'refuse' },
      { name: 'production', watch: 3_600, failed_checks: 3, concurrency: 'wait', irreversible: 'refuse' },
    ]);
  });

  test.each([
    ['no manifests', 'needs: []', 'manifests'],
    [
      'manifests of two kinds',
      'manifests: {folder: a, kustomize: b}',
      'give one of folder, kustomize, command and run',
    ],
    ['a folder outside of the commit', 'manifests: {folder: ../k8s}', 'must be a path inside the repository'],
    ['an unknown key', 'manifests: {folder: a}, need: []', 'did you mean "needs"?'],
    ['a service that does not exist', 'manifests: {folder: a}, needs: [db]', 'there is no service "db"'],
    ['a service that needs itself', 'manifests: {folder: a}, needs: [api]', 'api -> api'],
    ['a check without a question', 'manifests: {folder: a}, health: [{name: x}]', 'give one of http, command and run'],
    [
      'an address that is none',
      'manifests: {folder: a}, health: [{name: x, http: "file:///etc"}]',
      'must be an address',
    ],
    [
      'a hook with two programs',
      'manifests: {folder: a}, hooks: {before: [{name: x, run: [a], command: b}]}',
      'give either',
    ],
  ])('with %s are refused, with file and line', (_what, given, message) => {
    const found = problems(service(given));
    expect(found.join('\n')).toContain(message);
    expect(found[0]).toMatch(/^\.longhaul\/environments\.yaml:\d+: /);
  });
});

describe('a required step', () => {
  const policy = 'policies: [{name: scan-always, required_steps: [scan]}]\n';
  const check = async (pipeline: string) => {
    const root = await mkdtemp(join(tmpdir(), 'longhaul-check-'));
    await mkdir(join(root, '.longhaul/pipelines'), { recursive: true });
    await writeFile(join(root, '.longhaul/policy.yaml'), policy);
    await writeFile(join(root, '.longhaul/pipelines/ci.yaml'), pipeline);
    const io = memoryIo();
    return { exitCode: await checkCommand(root, {}, io), said: io.err() };
  };

  test('that has nothing to run is refused by `release check`, with its line', async () => {
    expect(
      await check("name: ci\nsteps:\n  - {name: other, command: 'true'}\n  - {name: scan, command: 'true'}\n"),
    ).toEqual({
      exitCode: 2,
      said: '.longhaul/pipelines/ci.yaml:4: the required step scan of ci has nothing to run.\n.longhaul: 1 problems\n',
    });
    const jobs =
      'name: ci\njobs:\n  a: {steps: [{name: scan, run: [npm, audit]}]}\n  b:\n    steps:\n      - {name: scan, run: [/bin/true]}\n';
    expect((await check(jobs)).said).toContain('ci.yaml:6: the required step scan of ci has nothing to run.');
    expect((await check('name: ci\nsteps: [{name: scan, command: npm audit}]\n')).exitCode).toBe(0);
  });

  test.each([
    ['blank', ' \n\t\n', true],
    ['a comment', '# npm audit', true],
    ['a colon', ':', true],
    ['true, with a comment', 'true # npm audit', true],
    ['several of them', '# off\n: ; true && exit 0\n', true],
    ['the program true', '/usr/bin/true', true],
    ['exit 1', 'exit 1', false],
    ['a program', 'npm audit # all', false],
    ['a program whose failure counts', 'true && npm audit', false],
    ['a program with true as an argument', 'npm audit true', false],
    ['a number sign in a word', 'npm audit#1', false],
  ])('whose command is %s', (_what, command, is) => {
    expect(doesNothing({ command })).toBe(is);
  });
});

describe('JSON Schemas for editors', () => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false });

  test.each(Object.entries(JSON_SCHEMAS))(
    'docs/schemas/%s.schema.json is what scripts/json-schemas.mjs writes',
    (name, schema) => {
      const written: unknown = JSON.parse(readFileSync(join('docs/schemas', `${name}.schema.json`), 'utf8'));
      expect(written).toEqual(JSON.parse(JSON.stringify(schema)));
    },
  );

  test.each([
    ['generation', 'version: v1.5.0\nchanges: [{id: A-1, type: add, title: x}]', true],
    ['generation', 'version: v1.5.0\nchanges: [{id: A-1, type: add, titel: x}]', false],
    ['generation', 'version: v1.5\nchanges: [{id: A-1, type: add, title: x}]', false],
    ['policy', 'policies: [{name: x, required_steps: [a]}]', true],
    ['policy', 'policies: [{required_steps: [a]}]', false],
    [
      'policy',
      'promotion: {approvals: {from: [a], deadline: 2d, at_deadline: approve, reminder: 4h, escalation: {after: 1d, to: [b]}}}',
      true,
    ],
    ['policy', 'promotion: {approvals: {from: [a], at_deadline: wait}}', false],
    [
      'environments',
      'environments: [{name: a, context: b, namespace: c, services: {d: {manifests: {folder: k8s}}}}]',
      true,
    ],
    [
      'environments',
      'environments: [{name: a, context: b, namespace: c, services: {d: {manifest: {folder: k8s}}}}]',
      false,
    ],
    ['policies', 'policies: [{name: x, type: change_type, config: {required_steps: [a]}}]', true],
    ['policies', 'policies: [{required_steps: [a]}]', false],
    [
      'pipeline',
      'name: ci\njobs: {a: {matrix: {node: [22, 24], include: [{node: 26, x: y}]}, steps: [{name: s, run: [x]}]}}',
      true,
    ],
    ['pipeline', 'name: ci\nsteps: [{name: s, command: 3}]', false],
    ['pipeline', 'name: ci\njobs: {a: {deploy: production, needs: []}}', true],
    ['pipeline', 'name: ci\njobs: {a: {deploy: [production]}}', false],
  ] as const)('of a %s are read by another validator in the same way: %s', (name, text, isValid) => {
    expect(ajv.validate(JSON_SCHEMAS[name], parse(text))).toBe(isValid);
    const path = {
      generation: 'generations/v1.5.0.yaml',
      policy: 'policy.yaml',
      policies: 'policies.yaml',
      pipeline: 'pipelines/ci.yaml',
      environments: 'environments.yaml',
    }[name];
    // it must be there, which a schema cannot say
    const others = name === 'pipeline' ? [file('environments.yaml', PRODUCTION)] : [];
    expect(problemsOf(file(path, text), ...others).length === 0).toBe(isValid);
  });
});

test.each(['yaml', 'yml'])('stored contracts have the digest of each file, whose name ends in .%s', async (ending) => {
  const folder = scratchFolder();
  const blobs = createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making'));
  const files = [
    { path: `generations/v1.0.0.${ending}`, text: 'version: v1.0.0\nchanges: [{type: add, id: FEAT-1, title: one}]\n' },
    { path: `pipelines/ci.${ending}`, text: 'name: ci\nsteps: [{name: a, command: x}]\n' },
    { path: `policy.${ending}`, text: 'policies: []\n' },
  ];
  const stored = await readContracts(blobs, await storeContracts(blobs, { name: '.longhaul', files }), 'a test');
  const sums = files.map(({ text }) => createHash('sha256').update(text).digest('hex'));
  expect([stored.digestOfGeneration('v1.0.0'), stored.digestOf('pipelines/ci'), stored.digestOf('policy')]).toEqual(
    sums,
  );
  expect(stored.digestOf('policies')).toBeNull();
});
