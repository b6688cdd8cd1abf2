import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeEvolutions, describeRefusal, describeStart } from '../../../domain/release/evolutions/describe.ts';
import type { DeclaredChange } from '../../../domain/release/contracts/generation.schema.ts';
import { describeGeneration } from '../../../domain/release/promotion/describe-generation.ts';
import { ledgerGates } from '../../../domain/release/promotion/gates.ts';
import { checkPolicies, minEvolutionsOf, requiredSteps } from '../../../domain/release/evolutions/policy-check.ts';
import { describeStep, isProven, provenSteps } from '../../../domain/release/evolutions/proof.ts';
import type { RunJobOutcome } from '../../../domain/release/flows/pipeline-flows.ts';
import { pipelineFile } from '../../../domain/release/contracts/pipeline.schema.ts';
import { policyFile } from '../../../domain/release/contracts/policy.schema.ts';

/** The policies of the workflow "Policy-Enforced Quality" in docs/release.md. */
const POLICIES = policyFile.parse(
  parse(`
policies:
  - name: "e2e-tests-for-features"
    applies_to: [add]
    required_steps:
      - e2e-tests
  - name: "security-scan-always"
    applies_to: [add, fix, refine, remove]
    required_steps:
      - security-scan
      - dependency-audit
  - name: "performance-benchmarks"
    applies_to: [refine]
    required_steps:
      - benchmark
  - name: "minimum-evolutions"
    min_evolutions: 2
  - {name: "team-b", team: Team B, versions: 2.x}
`),
);

const pipelineOf = (steps: readonly string[]) =>
  pipelineFile.parse({ name: 'release-pipeline', steps: steps.map((name) => ({ name, command: `npm run ${name}` })) });
const add = { type: 'add', team: undefined } as const;

describe('policies', () => {
  test('are refused with a line for each missing step', () => {
    const checks = checkPolicies(POLICIES, { version: 'v5.0.0', change: add, pipeline: pipelineOf(['test', 'build']) });
    expect(describeRefusal(checks)).toBe(`ERROR: Policy violation

Policy: e2e-tests-for-features
  Applies to: add
  Violation: Pipeline 'release-pipeline' missing required step: e2e-tests

Policy: security-scan-always
  Applies to: add
  Violation: Pipeline 'release-pipeline' missing required step: security-scan
  Violation: Pipeline 'release-pipeline' missing required step: dependency-audit

Evolution not started.`);
  });

  test('that hold are listed, and the evolution is started', () => {
    const pipeline = pipelineOf(['test', 'e2e-tests', 'security-scan', 'dependency-audit', 'build']);
    const checks = checkPolicies(POLICIES, { version: 'v5.0.0', change: add, pipeline });
    const started = { id: 'x', tag: 'v5.0.0-rc.1', rc: 1 };
    const start = { started, pipeline: pipeline.name, contract: 'c'.repeat(64), checks };
    expect(describeStart(start, 'FEAT-400')).toBe(`Validating policies...
  e2e-tests-for-features: PASS
  security-scan-always: PASS

Evolution started: v5.0.0-rc.1
Change: FEAT-400
Pipeline: release-pipeline`);
  });

  test('concern their types of changes and their team only', () => {
    const pipeline = pipelineOf(['security-scan', 'dependency-audit', 'benchmark']);
    const refine = { type: 'refine', team: 'Team B' } as const;
    const names = (version: string): string[] =>
      checkPolicies(POLICIES, { version, change: refine, pipeline }).map(
        ({ policy, violations }) => `${policy}: ${violations.join() || 'PASS'}`,
      );
    expect(names('v2.1.0')).toEqual(['security-scan-always: PASS', 'performance-benchmarks: PASS', 'team-b: PASS']);
    expect(names('v3.0.0').at(-1)).toBe('team-b: Version v3.0.0 is outside the range of Team B: 2.x');
    expect(requiredSteps(POLICIES, { change: refine })).toEqual(['security-scan', 'dependency-audit', 'benchmark']);
  });

  test('of a team ask their steps of the changes of that team, and of their types only', () => {
    const policies = policyFile.parse({
      policies: [{ name: 'b', team: 'Team B', versions: '2.x', applies_to: ['add'], required_steps: ['audit'] }],
    });
    const asked = (type: 'add' | 'fix', team: string | undefined) => ({
      checks: checkPolicies(policies, { version: 'v2.0.0', change: { type, team }, pipeline: pipelineOf(['test']) }),
      steps: requiredSteps(policies, { change: { type, team } }),
    });
    const violations = ["Pipeline 'release-pipeline' missing required step: audit"];
    expect(asked('add', 'Team B')).toEqual({
      checks: [{ policy: 'b', appliesTo: 'Team B', violations }],
      steps: ['audit'],
    });
    const nothing = { checks: [], steps: [] };
    expect(asked('add', 'Team A')).toEqual(nothing);
    expect(asked('add', undefined)).toEqual(nothing);
    expect(asked('fix', 'Team B')).toEqual(nothing);
  });

  test('a required step that has nothing to run is a violation, in whichever job', () => {
    const scan = (command: string) => ({ steps: [{ name: 'e2e-tests', command }] });
    const pipeline = pipelineFile.parse({ name: 'p', jobs: { a: scan('npm test'), b: scan('# npm test') } });
    const [e2e] = checkPolicies(POLICIES, { version: 'v1.0.0', change: add, pipeline });
    expect(e2e?.violations).toEqual(["Pipeline 'p' has nothing to run in required step: e2e-tests"]);
  });

  test('a required step in a job that may fail is no required step', () => {
    const pipeline = pipelineFile.parse({
      name: 'p',
      jobs: { a: { allow_failure: true, steps: [{ name: 'e2e-tests', command: 'true' }] } },
    });
    const [e2e] = checkPolicies(POLICIES, { version: 'v1.0.0', change: add, pipeline });
    expect(e2e?.violations).toEqual(["Pipeline 'p' allows required step to fail: e2e-tests"]);
  });
});

describe('the fewest evolutions', () => {
  const least = (policies: string, changes: readonly DeclaredChange[]) =>
    minEvolutionsOf(policyFile.parse(parse(`policies:\n${policies}`)).policies, changes);
  const change = (id: string, type: DeclaredChange['type'], team?: string): DeclaredChange => ({
    id,
    type,
    title: id,
    description: '',
    ...(team === undefined ? {} : { team }),
  });
  const changes = [change('FEAT-1', 'add', 'A'), change('FIX-1', 'fix', 'A'), change('FIX-2', 'fix')];

  test('of a policy for a type of changes or a team are those of such changes alone', () => {
    expect(least('  - {name: all, min_evolutions: 3}\n', changes)).toEqual([
      { policy: 'all', least: 3, changes: null },
    ]);
    const features = least('  - {name: features, applies_to: [add], min_evolutions: 2}\n', changes);
    expect(features).toEqual([{ policy: 'features', least: 2, changes: ['FEAT-1'] }]);
    expect(least('  - {name: a, team: A, versions: 1.x, min_evolutions: 2}\n', changes)).toEqual([
      { policy: 'a', least: 2, changes: ['FEAT-1', 'FIX-1'] },
    ]);
    // two fixes are not the two evolutions of features
    const passed = ['FIX-1', 'FIX-2', 'FEAT-1'].map((id, at) => ({
      tag: `v1.0.0-rc.${at}`,
      change: id,
      status: 'pass',
      supersededBy: null,
      hasProof: true,
    }));
    const gates = ledgerGates('standard', { changes: [], evolutions: passed, minEvolutions: features });
    expect(gates.flatMap(({ reasons }) => reasons)).toEqual([
      '1 of at least 2 evolutions passed of the changes of the policy "features".',
    ]);
  });

  test('are none where the generation has no such change', () => {
    expect(least('  - {name: removals, applies_to: [remove], min_evolutions: 2}\n', changes)).toEqual([]);
  });
});

describe('what really ran', () => {
  const step = (
    name: string,
    exitCode: number | null,
    ended: string | null = null,
  ): RunJobOutcome['steps'][number] => ({
    name,
    exitCode,
    signal: null,
    ended,
    durationMs: 5,
    commandDigest: 'd',
  });
  const outcome = (id: string, job: string, steps: RunJobOutcome['steps']): RunJobOutcome & { job: string } => ({
    id,
    job,
    steps,
    end: 'passed',
    why: null,
    attempts: 1,
    earlier: [],
    outputs: {},
    artifacts: null,
    reports: null,
    log: null,
    startedAt: null,
    resumedFrom: null,
    durationMs: 5,
  });
  const pipeline = pipelineFile.parse({
    name: 'p',
    jobs: {
      a: { matrix: { n: [1, 2] }, steps: [{ name: 'e2e', command: 'true' }] },
      b: { allow_failure: true, steps: [{ name: 'scan', command: 'true' }] },
      c: { steps: [{ name: 'lint', command: 'true' }] },
      d: { steps: [{ name: 'lint', command: 'true' }] },
    },
  });

  test.each([
    [
      'passed in every combination',
      [outcome('a (1)', 'a', [step('e2e', 0)]), outcome('a (2)', 'a', [step('e2e', 0)])],
      true,
    ],
    [
      'failed in one combination',
      [outcome('a (1)', 'a', [step('e2e', 0)]), outcome('a (2)', 'a', [step('e2e', 1)])],
      false,
    ],
    ['did not run', [outcome('a (1)', 'a', [])], false],
    ['was ended by a signal', [outcome('a (1)', 'a', [step('e2e', null)])], false],
    ['was ended by a timeout', [outcome('a (1)', 'a', [step('e2e', 0, 'timeout')])], false],
    ['ran in another job than the one of the pipeline', [outcome('x', 'x', [step('e2e', 0)])], false],
  ])('counts: a step that %s', (_what, outcomes, is) => {
    expect(provenSteps(['e2e'], pipeline, outcomes).every(isProven)).toBe(is);
  });

  test.each([
    ['was skipped', [outcome('c', 'c', [step('lint', 0)]), outcome('d', 'd', [])]],
    ['is not in the run', [outcome('c', 'c', [step('lint', 0)])]],
  ])('counts only when every job with the step ran it: another one %s', (_what, outcomes) => {
    const steps = provenSteps(['lint'], pipeline, outcomes);
    expect(steps.map(describeStep)).toEqual(['The required step lint did not run in the job d.']);
    expect(steps.some(isProven)).toBe(false);
  });

  test('does not count in a job that may fail', () => {
    const [scan] = provenSteps(['scan'], pipeline, [outcome('b', 'b', [step('scan', 0)])]);
    expect(scan).toMatchObject({ step: 'scan', job: null, exitCode: null });
  });
});

describe('the list of evolutions', () => {
  const changes = [
    { id: 'FEAT-201', title: 'OAuth2 login support', status: 'proven' },
    { id: 'FEAT-202', title: 'Email notification system', status: 'proven' },
    { id: 'BUG-88', title: 'Session timeout edge case', status: 'proven' },
  ];
  const evolution = (
    rc: number,
    change: string,
    status: string,
    time: string,
    team: string | null = null,
    supersededBy: string | null = null,
    author = 'ada',
  ) => ({ tag: `v1.5.0-rc.${rc}`, change, status, time, team, supersededBy, author });
  const generation = {
    version: 'v1.5.0',
    status: 'draft',
    description: 'User authentication and notifications',
    promotedAt: null,
    promotedBy: null,
    commit: null,
    approval: null,
    hotfixOf: null,
    branch: null,
    missing: [],
  };

  test('is that of the workflow "Standard Feature Release"', () => {
    const evolutions = [
      evolution(1, 'FEAT-201', 'pass', '2024-01-20T09:15:00Z'),
      evolution(2, 'FEAT-202', 'pass', '2024-01-20T11:30:00Z'),
      evolution(3, 'BUG-88', 'pass', '2024-01-20T14:45:00Z'),
    ];
    expect(describeEvolutions({ ...generation, evolutions, changes })).toBe(`Generation: v1.5.0 (draft)
Description: User authentication and notifications

Evolutions:
  Tag           Change     Status  Timestamp
  v1.5.0-rc.1   FEAT-201   pass    2024-01-20 09:15
  v1.5.0-rc.2   FEAT-202   pass    2024-01-20 11:30
  v1.5.0-rc.3   BUG-88     pass    2024-01-20 14:45

Changes:
  ID        Title                       Status
  FEAT-201  OAuth2 login support        proven
  FEAT-202  Email notification system   proven
  BUG-88    Session timeout edge case   proven

Ready for promotion: YES`);
  });

  test('says which failures a later evolution supersedes, and has columns for teams and for several authors', () => {
    const evolutions = [
      evolution(1, 'FEAT-201', 'fail', '2024-01-20T09:15:00Z', 'Team A', 'v1.5.0-rc.3'),
      evolution(2, 'FEAT-202', 'pass', '2024-01-20T11:30:00Z', null, null, 'bo'),
      evolution(3, 'FEAT-201', 'pass', '2024-01-20T14:45:00Z', 'Team A'),
    ];
    const listed = describeEvolutions({ ...generation, evolutions, changes });
    expect(listed).toContain('  Tag           Change     Status  Team     Timestamp          Author\n');
    expect(listed).toContain('  v1.5.0-rc.1   FEAT-201   fail    Team A   2024-01-20 09:15   ada\n');
    expect(listed).toContain('  v1.5.0-rc.2   FEAT-202   pass             2024-01-20 11:30   bo\n');
    expect(listed).toContain('  1 superseded: rc.1 by rc.3\n');
    expect(listed).toContain('Ready for promotion: YES');
    const open = evolutions.map((each) => ({ ...each, supersededBy: null }));
    const failed = describeEvolutions({ ...generation, evolutions: open, changes });
    expect(failed).toContain('Ready for promotion: NO');
  });

  test('and a draft that is shown name the failures that count no more', () => {
    const time = '2024-01-20T09:15:00Z';
    const evolutions = [
      evolution(2, 'FEAT-201', 'fail', time, null, 'v1.5.0-rc.4'),
      evolution(4, 'FEAT-201', 'pass', time),
    ];
    const shown = { ...generation, changes: changes.slice(0, 1), evolutions };
    const line = '  1 superseded: rc.2 by rc.4';
    expect(describeEvolutions(shown).split('\n')).toContain(line);
    expect(describeGeneration(shown).split('\n').slice(2)).toEqual([
      'Changes:',
      '  ✓ FEAT-201 (proven by v1.5.0-rc.4)',
      line,
    ]);
  });
});
