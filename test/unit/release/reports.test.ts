import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCobertura, parseGoCover, parseLcov } from '../../../activities/release/reports/coverage.ts';
import { parseJUnit } from '../../../activities/release/reports/junit.ts';
import { parseSarif } from '../../../activities/release/reports/sarif.schema.ts';
import { qualityRules } from '../../../domain/release/contracts/quality.schema.ts';
import { exceptionsOf, judgeQuality, type QualityFacts } from '../../../domain/release/quality/judge.ts';
import { coverageOf, type JobReports } from '../../../domain/release/quality/report.ts';
import { type Jobs, openJobs } from '../../support/release/jobs.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const recorded = (name: string): string => readFileSync(join(root, 'test/support/release/reports', name), 'utf8');

const SOURCE = `export function add(a: number, b: number): number {
  if (a > 100) {
    return -1;
  }
  return a + b;
}
`;
const TESTS = `import { describe, expect, test } from 'vitest';
import { add } from './sums.ts';
describe('sums', () => {
  test('adds "<&>"', () => expect(add(1, 1)).toBe(2));
  test('is wrong', () => expect(add(1, 1)).toBe(3));
  test.skip('later', () => undefined);
});
`;

describe('reports as tools write them', () => {
  let project: string;
  beforeAll(() => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    project = mkdtempSync(join(root, '.cache', 'reports-'));
    writeFileSync(join(project, 'sums.ts'), SOURCE);
    writeFileSync(join(project, 'sums.test.ts'), TESTS);
    writeFileSync(join(project, 'vitest.config.mjs'), 'export default {};\n');
    writeFileSync(join(project, 'bad.js'), 'debugger;\nvar unused = 1;\nif (unused == unused) {}\n');
    writeFileSync(join(project, '.oxlintrc.json'), '{"rules": {"no-debugger": "error", "no-self-compare": "warn"}}');
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('vitest: JUnit, and coverage in lcov and Cobertura', { timeout: 60_000 }, () => {
    const { status } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--root=.',
        '--reporter=junit',
        '--outputFile=junit.xml',
        '--coverage.enabled',
        '--coverage.include=sums.ts',
        '--coverage.reportOnFailure',
        '--coverage.reporter=lcovonly',
        '--coverage.reporter=cobertura',
      ],
      { cwd: project, env: { PATH: process.env['PATH'] } },
    );
    expect(status).toBe(1);
    expect(parseJUnit(readFileSync(join(project, 'junit.xml'), 'utf8'))).toEqual([
      { name: 'sums.test.ts > sums > adds "<&>"', status: 'passed', durationMs: expect.any(Number), message: null },
      {
        name: 'sums.test.ts > sums > is wrong',
        status: 'failed',
        durationMs: expect.any(Number),
        message: 'expected 2 to be 3 // Object.is equality',
      },
      { name: 'sums.test.ts > sums > later', status: 'skipped', durationMs: expect.any(Number), message: null },
    ]);
    const lcov = readFileSync(join(project, 'coverage', 'lcov.info'), 'utf8');
    const [, lines, covered] = /LF:(\d+)\nLH:(\d+)/.exec(lcov) ?? [];
    expect(parseLcov(lcov)).toEqual([{ path: 'sums.ts', lines: Number(lines), covered: Number(covered) }]);
    expect(Number(covered)).toBeLessThan(Number(lines));
    const cobertura = readFileSync(join(project, 'coverage', 'cobertura-coverage.xml'), 'utf8');
    const [, valid, hit] = /lines-valid="(\d+)" lines-covered="(\d+)"/.exec(cobertura) ?? [];
    expect(parseCobertura(cobertura)).toEqual([{ path: 'sums.ts', lines: Number(valid), covered: Number(hit) }]);
  });

  test('c8: lcov', () => {
    writeFileSync(
      join(project, 'run.mjs'),
      "import { add } from './sums.ts';\nif (add(1, 1) !== 2) process.exit(1);\n",
    );
    const c8 = join(root, 'node_modules/c8/bin/c8.js');
    const args = [c8, '--reporter=lcovonly', '--reports-dir=of-c8', '--include=sums.ts', process.execPath, 'run.mjs'];
    execFileSync(process.execPath, args, { cwd: project, env: { PATH: process.env['PATH'] } });
    const lcov = readFileSync(join(project, 'of-c8', 'lcov.info'), 'utf8');
    const [, lines, covered] = /LF:(\d+)\nLH:(\d+)/.exec(lcov) ?? [];
    expect(parseLcov(lcov)).toEqual([{ path: 'sums.ts', lines: Number(lines), covered: Number(covered) }]);
  });

  test('oxlint: SARIF, whose findings keep their fingerprint when lines are added above', () => {
    const findings = (): ReturnType<typeof parseSarif> => {
      const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '-c', '.oxlintrc.json', '--format=sarif', 'bad.js'];
      return parseSarif(spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' }).stdout);
    };
    const first = findings();
    expect(first.map(({ rule, level, line }) => [rule, level, line])).toEqual(
      expect.arrayContaining([[expect.stringContaining('no-debugger'), 'error', 1]]),
    );
    writeFileSync(join(project, 'bad.js'), `\n\n${readFileSync(join(project, 'bad.js'), 'utf8')}`);
    const later = findings();
    expect(later.map(({ fingerprint }) => fingerprint)).toEqual(first.map(({ fingerprint }) => fingerprint));
    expect(later.map(({ line }) => line)).not.toEqual(first.map(({ line }) => line));
  });

  test('pytest 9.2: JUnit', () => {
    expect(parseJUnit(recorded('pytest.xml')).map(({ name, status }) => [name, status])).toEqual([
      ['test_sums.TestSums > test_adds', 'passed'],
      ['test_sums.TestSums > test_is_wrong', 'failed'],
      ['test_sums > test_later', 'skipped'],
      ['test_sums > test_each[1]', 'passed'],
      ['test_sums > test_each[2]', 'passed'],
      ['test_sums > test_breaks', 'failed'],
    ]);
    expect(parseJUnit(recorded('pytest.xml'))[1]?.message).toContain('one & one <is> "three"');
  });

  test('Go 1.26: a profile, with the percentage that go tool cover prints', () => {
    const files = parseGoCover(recorded('go-cover.out'));
    expect(files).toEqual([{ path: 'example.com/sums/sums.go', lines: 6, covered: 2 }]);
    expect(coverageOf(files)).toBe(33.3);
  });

  test.for([
    ['junit', parseJUnit, '<html/>', 'it is no JUnit report'],
    ['junit', parseJUnit, '<testsuites><testsuite></testsuites>', 'unexpected close tag'],
    [
      'junit',
      parseJUnit,
      '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"/></testsuite>',
      'undefined entity',
    ],
    ['junit', parseJUnit, `<testsuite>${'<a>'.repeat(200)}`, 'more than 100 elements'],
    ['cobertura', parseCobertura, '<testsuite/>', 'it is no report of Cobertura'],
    ['lcov', parseLcov, 'SF:a.ts\nDA:x,1\n', 'line 2 is no record'],
    ['lcov', parseLcov, '<html>', 'line 1 is no record'],
    ['gocover', parseGoCover, 'SF:a', 'it is no profile of Go'],
    ['gocover', parseGoCover, 'mode: set\na.go:1 1', 'line 2 is no block'],
    ['sarif', parseSarif, '{"version":"2.1.0","runs":[]}', 'it is no SARIF 2.1.0: runs'],
    ['sarif', parseSarif, '[]', 'it is no SARIF 2.1.0'],
    ['sarif', parseSarif, '{', 'JSON'],
  ] as const)('$0 of another format is refused: $2', ([, parse, text, message]) => {
    expect(() => parse(text)).toThrow(message);
  });
});

const NOTHING: JobReports = { tests: [], coverage: [], findings: [], kinds: [] };
const finding = (fingerprint: string, level: 'error' | 'warning' | 'note' = 'error') => ({
  fingerprint,
  rule: 'no-x',
  level,
  path: 'a.ts',
  line: 1,
  message: `about ${fingerprint}`,
});
const failing = (...names: string[]): JobReports => ({
  ...NOTHING,
  kinds: ['junit'],
  tests: ['good', ...names].map((name) => ({
    name,
    status: name === 'good' ? 'passed' : 'failed',
    durationMs: 1,
    message: null,
  })),
});
const covered = (lines: number, run: number): JobReports => ({
  ...NOTHING,
  kinds: ['lcov'],
  coverage: [{ path: 'a.ts', lines, covered: run }],
});
const linted = (...findings: ReturnType<typeof finding>[]): JobReports => ({ ...NOTHING, kinds: ['sarif'], findings });

const UNTIL = { until: '2026-11-29', why: 'known' };

describe('a rule', () => {
  const COVERAGE = { coverage: { minimum: 80 } };
  const TESTS_PASS = { tests: { none_failed: true } };
  const NO_ERRORS = { findings: { none_new: 'error' } };
  const quarantine = [{ test: 'flaky*', owner: 'ada', ...UNTIL }];
  const waivers = [{ rule: 'coverage', approved_by: 'grace', ...UNTIL }];
  test.for([
    ['at the minimum passes', COVERAGE, { reports: [covered(10, 8)] }, 'passed'],
    ['just below fails', COVERAGE, { reports: [covered(10_000, 7_999)] }, 'failed'],
    ['counts all jobs, and the best of a file', COVERAGE, { reports: [covered(10, 8), covered(10, 1)] }, 'passed'],
    ['without a report fails', COVERAGE, { reports: [NOTHING] }, 'failed'],
    ['with a report of no lines fails', COVERAGE, { reports: [covered(0, 0)] }, 'failed'],
    ['is waived until its last day', { ...COVERAGE, waivers }, { reports: [] }, 'waived'],
    ['is not waived afterwards', { ...COVERAGE, waivers }, { reports: [], day: '2026-11-30' }, 'failed'],
    ['that passes needs no waiver', { ...COVERAGE, waivers }, { reports: [covered(1, 1)] }, 'passed'],
    ['for tests fails on a failed test', TESTS_PASS, { reports: [failing('bad')] }, 'failed'],
    ['for tests passes without one', TESTS_PASS, { reports: [failing()] }, 'passed'],
    ['for tests fails without a test', TESTS_PASS, { reports: [linted()] }, 'failed'],
    [
      'for tests leaves out those in quarantine',
      { ...TESTS_PASS, quarantine },
      { reports: [failing('flaky one')] },
      'passed',
    ],
    [
      'for tests counts them when the quarantine has ended',
      { ...TESTS_PASS, quarantine },
      { reports: [failing('flaky one')], day: '2027-01-01' },
      'failed',
    ],
    [
      'for tests counts the others',
      { ...TESTS_PASS, quarantine },
      { reports: [failing('flaky one', 'bad')] },
      'failed',
    ],
    [
      'for findings passes without new ones',
      NO_ERRORS,
      { reports: [linted(finding('a'))], known: new Set(['a']) },
      'passed',
    ],
    [
      'for findings fails on a new one',
      NO_ERRORS,
      { reports: [linted(finding('b'))], known: new Set(['a']) },
      'failed',
    ],
    [
      'for findings leaves out lesser levels',
      NO_ERRORS,
      { reports: [linted(finding('b', 'warning'))], known: new Set(['a']) },
      'passed',
    ],
    [
      'for findings counts all when there is nothing to compare with',
      NO_ERRORS,
      { reports: [linted(finding('a'))] },
      'failed',
    ],
    [
      'for findings begins with the first run of the branch',
      NO_ERRORS,
      { reports: [linted(finding('a'))], isBaseline: true },
      'passed',
    ],
    ['for findings fails without a report', NO_ERRORS, { reports: [covered(1, 1)], isBaseline: true }, 'failed'],
    [
      'for findings is waived for one of them',
      { ...NO_ERRORS, waivers: [{ rule: 'findings', matching: '*about b', approved_by: 'grace', ...UNTIL }] },
      { reports: [linted(finding('b'))], known: new Set<string>() },
      'passed',
    ],
  ] as const)('%s', ([, rules, facts, status]) => {
    const quality = qualityRules.parse(rules);
    const all: QualityFacts = { known: null, isBaseline: false, day: '2026-11-29', ...facts };
    expect(judgeQuality(quality, all).map((rule) => rule.status)).toEqual([status]);
  });

  test('shows its exceptions until they are taken out of the file', () => {
    const quality = qualityRules.parse({ quarantine, waivers });
    expect(exceptionsOf(quality, '2026-11-29')).toEqual([
      'waiver of coverage, approved by grace, until 2026-11-29: known',
      'test flaky* in quarantine, owned by ada, until 2026-11-29: known',
    ]);
    expect(exceptionsOf(quality, '2026-11-30').every((line) => line.endsWith('(has ended)'))).toBe(true);
  });

  test.for([
    { waivers: [{ rule: 'coverage', why: 'x', until: '2026-12-31' }] },
    { waivers: [{ rule: 'coverage', why: 'x', approved_by: 'ada' }] },
    { waivers: [{ rule: 'coverage', why: 'x', approved_by: 'ada', until: '2026-13-31' }] },
    { quarantine: [{ test: 'x', until: '2026-12-31', why: 'x' }] },
    { coverage: { minimum: 101 } },
    { findings: { none_new: 'critical' } },
  ])('%j is refused', (rules) => {
    expect(qualityRules.safeParse(rules).success).toBe(false);
  });
});

describe('a job', () => {
  let jobs: Jobs;
  beforeAll(async () => {
    jobs = await openJobs();
  });
  afterAll(() => jobs.close());

  const job = (reports: string, command: string): string =>
    `\n  test:\n    reports: ${reports}\n    steps: [{name: s, command: '${command}'}]\n`;

  test('has what its reports say, by the paths of the repository', async () => {
    const { status, jobs: ended } = await jobs.run(
      job(
        '{lcov: [out/lcov.info], junit: ["out/*.xml"]}',
        'mkdir out; cp pytest.xml out/; printf "SF:%s/src/a.ts\\nDA:1,1\\nDA:2,0\\nend_of_record\\n" "$PWD" > out/lcov.info',
      ),
      { 'pytest.xml': recorded('pytest.xml') },
    );
    expect(status).toBe('passed');
    const summary = ended['test']?.reports;
    expect(summary).toMatchObject({ tests: 6, failed: 2, coverage: 50, findings: 0 });
    const stored = JSON.parse(await jobs.text(summary?.digest ?? '')) as JobReports;
    expect(stored.coverage).toEqual([{ path: 'src/a.ts', lines: 2, covered: 1 }]);
    expect(stored.kinds).toEqual(['junit', 'lcov']);
  });

  test.for([
    ['a missing report', '{junit: [out.xml]}', 'true', 'reports: no file matches out.xml (junit)'],
    ['an empty report', '{lcov: [out]}', ': > out', 'reports: out (lcov): it is empty'],
    ['a report without tests', '{junit: [out]}', 'echo "<testsuites/>" > out', 'reports: out (junit): it is empty'],
    ['a report of another format', '{sarif: [out]}', 'echo "{}" > out', 'reports: out (sarif): it is no SARIF 2.1.0'],
    ['a link to a file outside', '{lcov: [out]}', 'ln -s /etc/passwd out', 'reports: no file matches out (lcov)'],
  ] as const)('fails with %s', async ([, reports, command, problem]) => {
    const { status, jobs: ended } = await jobs.run(job(reports, command));
    expect(status).toBe('failed');
    expect(ended['test']?.problem).toContain(problem);
  });
});
