import { describe, expect, test } from 'vitest';
import { withChanges } from '../../../activities/release/promotion/plan-backports.ts';
import { actOf } from '../../../domain/shared/acts.ts';
import { startEvolutionFlow } from '../../../domain/release/flows/evolution-flows.ts';
import { releaseFlows } from '../../../domain/release/flows/index.ts';
import { authorsOf, excludedAuthors } from '../../../domain/release/promotion/authors.ts';
import { type Approval, approvalBy } from '../../../domain/release/promotion/approval.ts';
import {
  describeGeneration,
  describeStatus,
  type GenerationStatus,
} from '../../../domain/release/promotion/describe-generation.ts';
import { describePromotion } from '../../../domain/release/promotion/describe.ts';
import { openUntil, problemOfWindow } from '../../../domain/release/promotion/freeze.ts';
import {
  commitGate,
  freezeGate,
  areOpen,
  type JudgedAttempt,
  ledgerGates,
  runsNeeded,
} from '../../../domain/release/promotion/gates.ts';
import { missingIn } from '../../../domain/release/promotion/publication.ts';
import type { PromotionReport } from '../../../domain/release/promotion/promotion.ts';
import { policyFile } from '../../../domain/release/contracts/policy.schema.ts';
import { stricterPolicy } from '../../../domain/release/promotion/stricter.ts';
import { nextPatch, patchPrefix } from '../../../domain/release/promotion/hotfix.ts';

describe('the rules of a commit and of the default branch', () => {
  const policy = (promotion: object, policies: readonly object[] = []) => policyFile.parse({ policies, promotion });
  const winter = { name: 'winter', from: '2026-12-20T00:00', until: '2027-01-02T00:00' };
  const together = (own: object, ofBranch: object) => stricterPolicy(policy(own), policy(ofBranch)).promotion;

  test('hold both: all policies, the longer soak time, all freezes, and the files of the commit', () => {
    const steps = { name: 'scan', required_steps: ['scan'] };
    const fewer = { name: 'scan', required_steps: ['lint'] };
    expect(stricterPolicy(policy({}, [steps]), policy({}, [steps, fewer])).policies).toMatchObject([steps, fewer]);
    const weekend = { ...winter, name: 'weekend' };
    const both = together(
      { soak: '1h', freeze: [winter], assets: ['a'] },
      { soak: '2h', freeze: [winter, weekend], assets: ['b'] },
    );
    expect(both).toMatchObject({ soak: 7_200, assets: ['a'] });
    expect(both.freeze.map(({ name }) => name)).toEqual(['winter', 'weekend']);
    expect(together({ soak: '3h' }, {}).soak).toBe(10_800);
  });

  test.each<[string, object, object, object]>([
    ['only the commit asks people', { from: ['a'] }, {}, { from: ['a'], needed: 1 }],
    ['only the default branch does', {}, { from: ['a'], needed: 2 }, { from: ['a'], needed: 2 }],
    [
      'both do: the default branch says who, and the higher number counts',
      { from: ['eve'], needed: 3, escalation: { after: '1s', to: ['eve'] } },
      { from: ['managers'], needed: 2, exclude_authors: true },
      { from: ['managers'], needed: 3, exclude_authors: true, escalation: undefined },
    ],
    [
      'both do, and the default branch asks more of them',
      { from: ['managers'], needed: 1, exclude_authors: true },
      { from: ['managers'], needed: 2 },
      { from: ['managers'], needed: 2, exclude_authors: true },
    ],
    [
      'only one approves at its deadline',
      { from: ['a'], deadline: '1s', at_deadline: 'approve' },
      { from: ['a'] },
      { deadline: undefined, at_deadline: 'reject' },
    ],
    [
      'one approves at its deadline, the other one rejects at its own',
      { from: ['a'], deadline: '1m', at_deadline: 'approve' },
      { from: ['a'], deadline: '2m' },
      { deadline: 120, at_deadline: 'reject' },
    ],
    [
      'both approve at a deadline: the later one',
      { from: ['a'], deadline: '1m', at_deadline: 'approve' },
      { from: ['a'], deadline: '2m', at_deadline: 'approve' },
      { deadline: 120, at_deadline: 'approve' },
    ],
    [
      'both reject at a deadline: the earlier one',
      { from: ['a'], deadline: '1m' },
      { from: ['a'], deadline: '2m' },
      { deadline: 60, at_deadline: 'reject' },
    ],
  ])('%s', (_about, own, ofBranch, expected) => {
    const asking = (approvals: object) => (Object.keys(approvals).length === 0 ? {} : { approvals });
    const { approvals } = together(asking(own), asking(ofBranch));
    expect({ deadline: undefined, escalation: undefined, ...approvals }).toMatchObject(expected);
  });
});

describe('a freeze window', () => {
  const weekend = { name: 'weekend', from: '0 16 * * 5', until: '0 8 * * 1', time_zone: 'Europe/Berlin' };
  const nightly = { name: 'night', from: '30 2 * * *', until: '30 3 * * *', time_zone: 'Europe/Berlin' };
  const holidays = {
    name: 'holidays',
    from: '2026-12-20T00:00',
    until: '2027-01-02T00:00',
    time_zone: 'America/New_York',
  };

  // Berlin changes its clocks on 29 March 2026 (01:00Z, an hour is missing) and 25 October 2026 (01:00Z, an hour is twice)
  test.each([
    ['before it begins', weekend, '2026-11-27T14:59:59Z', null],
    ['when it begins', weekend, '2026-11-27T15:00:00Z', '2026-11-30T07:00:00.000Z'],
    ['in it', weekend, '2026-11-29T12:00:00Z', '2026-11-30T07:00:00.000Z'],
    ['at its last millisecond', weekend, '2026-11-30T06:59:59.999Z', '2026-11-30T07:00:00.000Z'],
    ['when it ends', weekend, '2026-11-30T07:00:00Z', null],
    [
      'over the change to summer time it ends at the same local time',
      weekend,
      '2026-03-28T12:00Z',
      '2026-03-30T06:00:00.000Z',
    ],
    ['after the change to summer time it is over an hour earlier in UTC', weekend, '2026-03-30T06:00:00Z', null],
    [
      'over the change to winter time it ends at the same local time',
      weekend,
      '2026-10-24T12:00Z',
      '2026-10-26T07:00:00.000Z',
    ],
    [
      'until winter time begins it is open an hour longer in UTC',
      weekend,
      '2026-10-26T06:59:00Z',
      '2026-10-26T07:00:00.000Z',
    ],
    [
      'whose beginning the missing hour swallows, it begins after that hour',
      nightly,
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    ['before the missing hour it is not open', nightly, '2026-03-29T00:59:00Z', null],
    [
      'in the hour that is twice, it begins with the first',
      nightly,
      '2026-10-25T00:30:00Z',
      '2026-10-25T02:30:00.000Z',
    ],
    ['a single one before its day', holidays, '2026-12-20T04:59:59Z', null],
    ['a single one in it', holidays, '2026-12-20T05:00:00Z', '2027-01-02T05:00:00.000Z'],
    ['a single one after it', holidays, '2027-01-02T05:00:00Z', null],
  ])('%s', (_about, window, now, until) => {
    expect(openUntil(window, new Date(now))?.toISOString() ?? null).toBe(until);
  });

  test.each([
    [{ ...weekend, from: '61 * * * 5' }, 'from'],
    [{ ...weekend, time_zone: 'Europe/Atlantis' }, 'time_zone'],
    [{ ...holidays, until: '0 8 * * 1' }, 'until'],
    [{ ...holidays, until: '2026-12-19T00:00' }, 'until'],
  ])('that cannot be read is refused: %o', (window, field) => {
    expect(problemOfWindow(window)?.[0]).toBe(field);
  });

  test('that can be read is not refused', () => {
    expect([weekend, nightly, holidays].map(problemOfWindow)).toEqual([null, null, null]);
  });
});

describe('the gates', () => {
  const pass = (tag: string, change: string): JudgedAttempt => ({
    tag,
    change,
    status: 'pass',
    supersededBy: null,
    hasProof: true,
  });
  const facts = (evolutions: readonly JudgedAttempt[], changes = ['A-1', 'A-2'], minEvolutions = 0) => ({
    changes,
    evolutions,
    minEvolutions: minEvolutions === 0 ? [] : [{ policy: 'enough', least: minEvolutions, changes: null }],
  });
  const closed = (...args: Parameters<typeof ledgerGates>): Record<string, readonly string[]> =>
    Object.fromEntries(
      ledgerGates(...args).flatMap(({ gate, part, reasons }) =>
        reasons.length === 0 ? [] : [[part ?? gate, reasons]],
      ),
    );

  test('are open when all changes are proven', () => {
    const gates = ledgerGates('standard', facts([pass('rc.1', 'A-1'), pass('rc.2', 'A-2')], undefined, 2));
    expect(gates.map(({ gate }) => gate)).toEqual([
      'AllChangesProvenGate',
      'NoFailedEvolutionsGate',
      'MinEvolutionsGate',
    ]);
    expect(areOpen(gates)).toBe(true);
  });

  test.each<[string, readonly JudgedAttempt[], number, Record<string, readonly string[]>]>([
    ['a change is not proven', [pass('rc.1', 'A-1')], 0, { AllChangesProvenGate: ['A-2 is not proven.'] }],
    [
      'a change passed in an imported ledger only',
      [pass('rc.1', 'A-1'), { ...pass('rc.2', 'A-2'), hasProof: false }],
      0,
      { AllChangesProvenGate: ['A-2 passed in an imported ledger, which has no proof: prove it again.'] },
    ],
    [
      'a failure is not superseded',
      [pass('rc.1', 'A-1'), pass('rc.2', 'A-2'), { ...pass('rc.3', 'A-2'), status: 'fail' }],
      0,
      { NoFailedEvolutionsGate: ['rc.3 (A-2) failed, and no later evolution supersedes it.'] },
    ],
    [
      'too few evolutions passed',
      [pass('rc.1', 'A-1'), pass('rc.2', 'A-2')],
      3,
      { MinEvolutionsGate: ['2 of at least 3 evolutions passed.'] },
    ],
  ])('are closed when %s', (_about, evolutions, least, expected) => {
    expect(closed('standard', facts(evolutions, undefined, least))).toEqual(expected);
  });

  test('a superseded failure and an abandoned evolution do not close them', () => {
    const evolutions = [
      { ...pass('rc.1', 'A-1'), status: 'fail', supersededBy: 'rc.2' },
      pass('rc.2', 'A-1'),
      { ...pass('rc.3', 'A-2'), status: 'abandoned' },
      pass('rc.4', 'A-2'),
    ];
    expect(closed('standard', facts(evolutions))).toEqual({});
  });

  test('of a hotfix: each change passed once, and none is pending; a failure does not matter', () => {
    const failed = { ...pass('rc.1', 'A-1'), status: 'fail' };
    expect(closed('hotfix', facts([failed, pass('rc.2', 'A-1')], ['A-1']))).toEqual({});
    expect(closed('hotfix', facts([failed, { ...pass('rc.2', 'A-1'), status: 'pending' }], ['A-1']))).toEqual({
      'At least one passing evolution': ['A-1 is not proven.'],
      'No pending evolutions': ['rc.2 (A-1) is pending: prove or abandon it.'],
    });
  });

  const commit = '1'.repeat(40);
  const run = { pipeline: 'full-ci', exists: true, run: null, reasons: [] };
  test('on the commit: a pipeline that has not run there is needed, unless something else keeps them closed', () => {
    const closedByRun = commitGate({ commit, outside: null, uncovered: [], runs: [run] });
    expect(closedByRun.reasons).toEqual(['full-ci has not passed on the tree of 111111111111.']);
    expect(runsNeeded([closedByRun], { outside: null, uncovered: [], runs: [run] })).toEqual(['full-ci']);
    expect(runsNeeded([closedByRun], { outside: null, uncovered: [], runs: [{ ...run, exists: false }] })).toEqual([]);
    const other = freezeGate([{ name: 'weekend', until: '2026-11-30T07:00:00.000Z' }], null);
    expect(other.reasons).toEqual(['The freeze "weekend" lasts until 2026-11-30T07:00Z.']);
    expect(runsNeeded([closedByRun, other], { outside: null, uncovered: [], runs: [run] })).toEqual([]);
    expect(runsNeeded([closedByRun], { outside: ['the default branch main'], uncovered: [], runs: [run] })).toEqual([]);
    expect(areOpen([commitGate({ commit, outside: null, uncovered: [], runs: [{ ...run, run: 'id' }] })])).toBe(true);
  });

  test('on the commit: no branch that is released has it', () => {
    const outside = ['the default branch main', 'release/*'];
    const outsideGate = commitGate({ commit, outside, uncovered: [], runs: [] });
    expect(outsideGate.reasons).toEqual([
      '111111111111 is in no branch that is released on the remote (the default branch main, release/*): merge it into one of them.',
    ]);
  });

  test('on the calendar: a person may say why it is passed', () => {
    const open = [{ name: 'weekend', until: '2026-11-30T07:00:00.000Z' }];
    expect(freezeGate(open, 'a leak').reasons).toEqual([]);
  });
});

test('the version of a hotfix is the next that nothing uses', () => {
  expect(nextPatch('v2.3.0', ['v2.3.0', 'v2.4.0'])).toBe('v2.3.1');
  expect(nextPatch('v2.3.0', ['v2.3.1', 'v2.3.2'])).toBe('v2.3.3');
  expect(patchPrefix('v2.3.7')).toBe('v2.3.');
});

describe('a contract that gets the change of a hotfix', () => {
  const fix = { type: 'fix', id: 'CRIT-500', title: 'Fix: the leak' } as const;

  test('keeps its comments and the form of its changes', () => {
    const block = '# spring\nversion: v1.0.0\nchanges:\n  # first\n  - type: add\n    id: A-1 # one\n    title: x\n';
    expect(withChanges(block, [fix])).toBe(`${block}  - type: fix\n    id: CRIT-500\n    title: "Fix: the leak"\n`);
    const flow = `version: v1.0.0\nchanges:\n  - { type: add, id: A-1, title: "${'long '.repeat(30)}" }\npipeline_template: ci\n`;
    expect(withChanges(flow, [fix])).toBe(
      flow.replace('pipeline_template', '  - { type: fix, id: CRIT-500, title: "Fix: the leak" }\npipeline_template'),
    );
  });
});

test('every flow that acts has a name for its refusals, whatever its input is', () => {
  // one is the trail's own, the other changes nothing
  const others = ['anchorAudit', 'checkEnvironments'];
  for (const flow of releaseFlows.filter(({ type }) => !others.includes(type))) {
    for (const input of [null, 'text', {}, { version: 1 }]) {
      expect(actOf(flow, input)).toMatchObject({ subject: 'unknown', repository: null, by: 'unknown' });
    }
  }
  expect(actOf(startEvolutionFlow, { version: 'v1.0.0', change: 'A-1', repository: 'r', by: 'ada' })).toEqual({
    event: 'evolution',
    resource: 'evolution',
    action: 'start',
    subject: 'v1.0.0 A-1',
    repository: 'r',
    by: 'ada',
  });
});

describe('the authors of a release', () => {
  const by = (many: number, of = (at: number): string => `dev-${at}@example.com`) =>
    Array.from({ length: many }, (_, at) => ({ authors: [of(at)] }));

  test('are all excluded from its approval', () => {
    const authors = authorsOf([...by(1_000), ...by(9_000, () => 'dev-7@example.com')]);
    expect(excludedAuthors(true, authors)).toHaveLength(1_000);
    expect(excludedAuthors(true, authors)).toContain('dev-999@example.com');
    expect(excludedAuthors(false, authors)).toEqual([]);
  });

  test.each([
    ['authors', by(1_001)],
    ['commits', by(10_001, () => 'ada@example.com')],
  ])('are not cut: too many %s refuse a promotion whose policy excludes them', (_what, commits) => {
    const authors = authorsOf(commits);
    expect(() => excludedAuthors(true, authors)).toThrow('release fewer commits, or change the policy');
    expect(excludedAuthors(false, authors)).toEqual([]);
  });
});

describe('the next step of a generation', () => {
  const draft: GenerationStatus = {
    version: 'v1.0.0',
    status: 'draft',
    description: '',
    promotedAt: null,
    promotedBy: null,
    commit: null,
    approval: null,
    hotfixOf: null,
    branch: null,
    missing: [],
    changes: [{ id: 'A-1', title: 'x', status: 'proven' }],
    evolutions: [],
    remoteTag: null,
  };
  const attempt = (rc: number, status: string, supersededBy: string | null = null) => ({
    tag: `v1.0.0-rc.${rc}`,
    change: 'A-1',
    status,
    time: '2026-01-01T00:00:00Z',
    team: null,
    author: 'ada',
    supersededBy,
  });
  const next = (fields: Partial<GenerationStatus>): string | undefined =>
    describeStatus({ ...draft, ...fields })
      .split('\n')
      .at(-1);

  test('is to promote, once no failure counts; of a hotfix also before', () => {
    const evolutions = [attempt(1, 'fail'), attempt(2, 'pass')];
    expect(next({ evolutions })).toBe(
      'Next: longhaul evolution start v1.0.0 --change A-1: no later evolution supersedes the failure v1.0.0-rc.1',
    );
    expect(next({ evolutions, hotfixOf: 'v0.9.0' })).toBe('Next: longhaul hotfix promote v1.0.0');
    expect(next({ evolutions: [attempt(1, 'fail', 'v1.0.0-rc.2'), attempt(2, 'pass')] })).toBe(
      'Next: longhaul generation promote v1.0.0',
    );
  });

  test('publishes what the last run could not: the release, an offer, or all of it', () => {
    const published = [
      `notes: ${'a'.repeat(64)}`,
      'release: missing (the token may not write (contents: read))',
      'asset cli.tgz: missing (no release)',
      'announcement to chat: missing (it answered 500)',
      'fix for the default branch: missing (the branch is protected)',
      'FIX-1 for v1.1.0: https://forge.example/pulls/7',
      'open generations: not offered (the contracts are wrong)',
    ];
    const missing = missingIn('v1.0.0', published);
    expect(missing).toEqual([
      { kind: 'release', name: 'v1.0.0', problem: 'the token may not write (contents: read)' },
      { kind: 'offer', name: 'fix for the default branch', problem: 'the branch is protected' },
      { kind: 'offer', name: 'open generations', problem: 'the contracts are wrong' },
    ]);
    const commit = 'b'.repeat(40);
    const released = { promotedAt: '2026-01-01T00:00:00Z', commit, remoteTag: { object: 'a'.repeat(40), commit } };
    expect(next(released)).toBe('Next: nothing: it is released');
    expect(next({ ...released, missing })).toBe('Next: longhaul generation promote v1.0.0 --commit v1.0.0');
    expect(describeStatus({ ...draft, ...released, missing })).toContain(
      '\nMissing: release v1.0.0 (the token may not write (contents: read))\n',
    );
  });

  test('takes over a tag that was kept when the generation was withdrawn', () => {
    expect(next({ remoteTag: { object: 'a'.repeat(40), commit: 'b'.repeat(40) } })).toContain(
      'Next: longhaul generation promote v1.0.0 --commit v1.0.0, if Longhaul made the tag;',
    );
  });
});

test('a promotion says everywhere when nothing proves who approved it, and when its deadline did', () => {
  const report = { version: 'v1.0.0', kind: 'standard', gates: [], isOpen: true } as unknown as PromotionReport;
  const shown: GenerationStatus = {
    version: 'v1.0.0',
    status: 'promoted',
    description: '',
    promotedAt: '2026-01-01T00:00:00Z',
    promotedBy: 'ada',
    commit: 'b'.repeat(40),
    approval: null,
    hotfixOf: null,
    branch: null,
    missing: [],
    changes: [],
    evolutions: [],
    remoteTag: { object: 'a'.repeat(40), commit: 'b'.repeat(40) },
  };
  const said = (approval: Approval | null): readonly string[] => [
    ...(['standard', 'hotfix'] as const).map((kind) =>
      describePromotion({ ...report, kind }, { isPromoted: true, approval, refused: [] }),
    ),
    describeGeneration({ ...shown, approval }),
    describeStatus({ ...shown, approval }),
  ];
  const verdict = { gate: 'gate-1', status: 'approved', reason: 'quorum', decisions: [], authenticated: true } as const;
  for (const text of said(approvalBy({ ...verdict, authenticated: false }))) {
    expect(text).toMatch(/\nApproval: unauthenticated, nothing proves who gave it(?:\n|$)/);
  }
  for (const text of said(approvalBy({ ...verdict, reason: 'deadline' }))) {
    expect(text).toMatch(/\nApproval: by the deadline, too few people had approved(?:\n|$)/);
  }
  for (const text of [...said(approvalBy(verdict)), ...said(null)]) expect(text).not.toContain('Approval');
});
