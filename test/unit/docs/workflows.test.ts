import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { actionlint, fetchActionlint } from '../../support/docs/actionlint.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = '.github/workflows';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly needs?: string;
  readonly 'timeout-minutes'?: number;
  readonly permissions?: object;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const names = readdirSync(join(ROOT, FOLDER)).map((name) => `${FOLDER}/${name}`);
const jobs = names.flatMap((name) =>
  Object.entries((parse(read(name)) as Workflow).jobs).map(([job, value]) => ({ name: `${name} ${job}`, job: value })),
);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const prepare = parse(read('.github/actions/prepare/action.yml')) as { runs: { steps: readonly Step[] } };

/** Scripts of package.json that a shell command starts. */
const scriptsIn = (command: string): string[] =>
  [...command.matchAll(/\bnpm (?:run (?<run>[\w:-]+)|(?<own>test|start)\b)/g)].map(
    ({ groups }) => groups?.['run'] ?? groups?.['own'] ?? '',
  );

describe('workflows', () => {
  let program = '';
  beforeAll(async () => {
    program = await fetchActionlint();
  }, 600_000);

  test.each(names)('actionlint finds nothing in %s', async (name) => {
    expect(await actionlint(program, ROOT, name, read(name))).toBe('');
  });

  test('actionlint finds a job that needs a missing job, and an unknown input of an action', async () => {
    const text = read(names.find((name) => name.endsWith('ci.yml')) ?? '');
    const broken = text.replace('needs: quality', 'needs: qualty').replace("servers: 'true'", "server: 'true'");
    const found = await actionlint(program, ROOT, `${FOLDER}/ci.yml`, broken);
    expect(found).toContain('qualty');
    expect(found).toContain('"server"');
  });

  test('every workflow may only read the repository, and every job has a time limit', () => {
    for (const name of names) expect((parse(read(name)) as Workflow).permissions, name).toEqual({ contents: 'read' });
    for (const { name, job } of jobs) {
      expect(job.permissions, name).toBeUndefined();
      expect(job['timeout-minutes'], name).toBeLessThanOrEqual(60);
    }
  });

  test('actions are pinned by commit, with their version in a comment', () => {
    const lines = [...names, '.github/actions/prepare/action.yml'].flatMap((name) => read(name).split('\n'));
    const uses = lines.filter((line) => /\buses: (?!\.\/)/.test(line));
    expect(uses.length).toBeGreaterThan(5);
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('the scripts that they run are those of package.json; quality comes first', () => {
    const commands = [...jobs.flatMap(({ job }) => job.steps), ...prepare.runs.steps].map(({ run }) => run ?? '');
    const called = new Set(commands.flatMap(scriptsIn));
    for (const name of called) expect(Object.keys(scripts), `npm run ${name}`).toContain(name);
    expect([...called]).toEqual(expect.arrayContaining(['check', 'test', 'test:durable', 'test:docs', 'audit']));
    const { jobs: ci } = parse(read(`${FOLDER}/ci.yml`)) as Workflow;
    expect(Object.entries(ci).map(([name, { needs }]) => [name, needs])).toEqual([
      ['quality', undefined],
      ['unit', 'quality'],
      ['real', 'unit'],
      ['durable', 'unit'],
      ['docs', 'quality'],
      ['package', 'quality'],
    ]);
  });

  test('.ci/run runs scripts that the workflows run too', () => {
    const called = new Set(jobs.flatMap(({ job }) => job.steps).flatMap(({ run }) => scriptsIn(run ?? '')));
    const own = scriptsIn(read('.ci/run').replace(/^#.*$/gm, ''));
    expect(own.length).toBeGreaterThan(1);
    for (const name of own) expect([...called]).toContain(name);
  });
});
