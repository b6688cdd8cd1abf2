import { array, assert, constantFrom, integer, option, pre, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entitlementOf } from '../../../domain/gates/delegation.ts';
import type { GateAnswer, GateDecision, GateRules } from '../../../domain/gates/gate.ts';
import { nextMoment } from '../../../domain/gates/moments.ts';
import { outcomeOf, whyNotCounted } from '../../../domain/gates/outcome.ts';

const DAY = 86_400_000;
const ASKED = Date.parse('2026-01-01T00:00:00Z');

/** Two of ada, bob and cyd; cyd asked. Eve may decide after 10 days, and the gate is rejected after 30. */
const GATE: GateRules = {
  digest: 'd1',
  needed: 2,
  people: ['ada', 'bob', 'cyd', 'dan', 'eve', 'mallory'],
  approvers: ['ada', 'bob', 'cyd', 'dan'],
  laterApprovers: ['eve'],
  escalatesAt: ASKED + 10 * DAY,
  excluded: ['cyd'],
  deadline: { at: ASKED + 30 * DAY, outcome: 'rejected' },
};

/** `3 ada approve`, `3 bob for ada approve`, `3 ada approve d0`: on the third day. */
function decisions(...lines: readonly string[]): readonly GateDecision[] {
  return lines.map((line) => {
    const [, day = '', person = '', place = null, verdict = '', digest = 'd1', how = 'api-key'] =
      /^(\d+) (\w+)(?: for (\w+))? (approve|reject|revoke)(?: (d\d))?(?: (unauthenticated))?$/.exec(line) ?? [];
    return {
      person,
      onBehalfOf: place,
      verdict: verdict as GateAnswer,
      why: 'because',
      digest,
      authenticatedBy: how,
      at: new Date(ASKED + Number(day) * DAY).toISOString(),
    };
  });
}

describe('the outcome of a gate', () => {
  test.for<readonly [what: string, day: number, given: readonly string[], expected: string, gate?: Partial<GateRules>]>(
    [
      ['nothing was decided', 1, [], 'open 0'],
      ['one of two', 2, ['1 ada approve'], 'open 1'],
      ['two of two', 2, ['1 ada approve', '2 bob approve'], 'approved by quorum 2: ada, bob'],
      ['the requester among the three', 3, ['1 cyd approve', '2 ada approve'], 'open 1'],
      ['the requester rejects the own request', 3, ['1 cyd reject'], 'open 0'],
      ['the same vote twice', 2, ['1 ada approve', '2 ada approve'], 'open 1'],
      ['a revocation before the quorum', 4, ['1 ada approve', '2 ada revoke', '3 bob approve'], 'open 1'],
      [
        'a revocation after the quorum',
        4,
        ['1 ada approve', '2 bob approve', '3 ada revoke'],
        'approved by quorum 2: ada, bob',
      ],
      [
        'approved again after a revocation',
        5,
        ['1 ada approve', '2 ada revoke', '3 bob approve', '4 ada approve'],
        'approved by quorum 2: bob, ada',
      ],
      ['a revocation of the approval of another', 4, ['1 ada approve', '2 bob revoke'], 'open 1'],
      ['a rejection', 3, ['1 ada approve', '2 bob reject'], 'rejected by rejection 1: bob'],
      [
        'a rejection after the quorum',
        4,
        ['1 ada approve', '2 bob approve', '3 dan reject'],
        'approved by quorum 2: ada, bob',
      ],
      ['a stranger', 2, ['1 mallory approve', '1 ada approve'], 'open 1'],
      ['an approval of another digest', 3, ['1 ada approve d0', '2 bob approve'], 'open 1'],
      ['a rejection of another digest', 3, ['1 ada reject d0'], 'open 0'],
      ['30 days without a quorum', 30, ['1 ada approve'], 'rejected by deadline 1: ada'],
      ['just before the deadline', 29, ['1 ada approve'], 'open 1'],
      ['a vote at the deadline', 31, ['1 ada approve', '30 bob approve'], 'rejected by deadline 1: ada'],
      [
        'a quorum before the deadline that is read later',
        40,
        ['1 ada approve', '29 bob approve'],
        'approved by quorum 2: ada, bob',
      ],
      [
        'a deadline that approves',
        30,
        [],
        'approved by deadline 0',
        { deadline: { at: ASKED + 30 * DAY, outcome: 'approved' } },
      ],
      ['a further approver before the escalation', 12, ['9 eve approve', '11 ada approve'], 'open 1'],
      ['a further approver after it', 12, ['11 eve approve', '11 ada approve'], 'approved by quorum 2: eve, ada'],
      ['the delegate of an approver', 3, ['1 eve for ada approve', '2 bob approve'], 'approved by quorum 2: bob, eve'],
      ['one person in two places', 3, ['1 bob approve', '2 bob for ada approve'], 'open 1'],
      ['two people in one place', 3, ['1 ada approve', '2 eve for ada approve'], 'open 1'],
      [
        'a delegate, then the person, then the delegate for itself',
        4,
        ['1 bob for ada approve', '2 ada approve', '3 bob approve'],
        'approved by quorum 2: ada, bob',
      ],
      [
        'a delegate who was removed from the configuration',
        3,
        ['1 bob for ada approve', '2 dan approve'],
        'open 1',
        { people: ['ada', 'cyd', 'dan', 'eve'] },
      ],
      ['the requester as delegate', 3, ['1 cyd for ada approve', '2 bob approve'], 'open 1'],
      ['a delegate of the requester', 3, ['1 eve for cyd approve', '2 bob approve'], 'open 1'],
      ['an unauthenticated row', 3, ['1 ada approve d1 unauthenticated', '2 bob approve'], 'open 1'],
      [
        'no people configured: one answer decides',
        2,
        ['1 mallory approve d1 unauthenticated'],
        'approved by quorum 1: mallory',
        { approvers: null },
      ],
      [
        'no people configured: another digest still does not count',
        2,
        ['1 mallory approve d0 unauthenticated'],
        'open 0',
        { approvers: null },
      ],
    ],
  )('%s, on day %i', ([, day, given, expected, gate = {}]) => {
    const { status, reason, have, counted } = outcomeOf({ ...GATE, ...gate }, decisions(...given), ASKED + day * DAY);
    const names = counted.map(({ person }) => person).join(', ');
    expect(status === 'open' ? `open ${have}` : `${status} by ${reason} ${have}${names && `: ${names}`}`).toBe(
      expected,
    );
  });

  const person = constantFrom('ada', 'bob', 'cyd', 'dan', 'eve', 'mallory');
  const anyDecisions = array(
    record({
      day: integer({ min: 0, max: 35 }),
      person,
      place: option(person, { nil: null }),
      verdict: constantFrom('approve', 'approve', 'approve', 'revoke', 'reject'),
      digest: constantFrom('d1', 'd1', 'd1', 'd0'),
    }),
    { maxLength: 12 },
  ).map((list) =>
    decisions(
      ...list
        .toSorted((a, b) => a.day - b.day)
        .map((each) => {
          const place = each.place === null || each.place === each.person ? '' : ` for ${each.place}`;
          return `${each.day} ${each.person}${place} ${each.verdict} ${each.digest}`;
        }),
    ),
  );

  test('never changes once it is decided, whatever comes later', () => {
    assert(
      property(anyDecisions, anyDecisions, integer({ min: 0, max: 40 }), (first, more, day) => {
        const before = outcomeOf(GATE, first, ASKED + day * DAY);
        pre(before.status !== 'open' && before.reason !== 'deadline');
        expect(outcomeOf(GATE, [...first, ...more], ASKED + (day + 1) * DAY)).toEqual(before);
      }),
    );
  });

  test('an approved gate has as many different approvers as it needs, none of whom is excluded or was not asked', () => {
    assert(
      property(anyDecisions, (given) => {
        const { status, reason, counted } = outcomeOf(GATE, given, ASKED + 29 * DAY);
        pre(status === 'approved');
        expect(reason).toBe('quorum');
        const people = counted.map((each) => each.person);
        const places = counted.map((each) => each.onBehalfOf ?? each.person);
        expect([new Set(people).size, new Set(places).size]).toEqual([2, 2]);
        expect([...people, ...places]).not.toContain('cyd');
        expect(places.filter((name) => !['ada', 'bob', 'dan', 'eve'].includes(name))).toEqual([]);
        expect(counted.every(({ digest, verdict }) => digest === 'd1' && verdict === 'approve')).toBe(true);
      }),
    );
  });

  test('decisions that are not counted change nothing', () => {
    assert(
      property(anyDecisions, integer({ min: 0, max: 40 }), (given, day) => {
        const counted = given.filter((each) => whyNotCounted(GATE, each) === null);
        const now = ASKED + day * DAY;
        expect(outcomeOf(GATE, given, now)).toEqual(outcomeOf(GATE, counted, now));
      }),
    );
  });
});

describe('a person', () => {
  const UNTIL = (day: number): string => new Date(ASKED + day * DAY).toISOString();
  test.each<readonly [what: string, line: string, until: number | null, forPerson: string | null, expected: string]>([
    ['decides in the own place', '1 ada approve', null, null, 'own'],
    ['who asked', '1 cyd approve', null, null, 'OwnRequest'],
    ['who is no approver', '1 eve approve', null, null, 'NotAnApprover'],
    ['who is one after the escalation', '11 eve approve', null, null, 'own'],
    ['with a delegation', '1 eve approve', 2, null, 'ada'],
    ['with a delegation that has ended', '2 eve approve', 2, null, 'DelegationExpired'],
    ['who asks for the place of a person without delegation', '1 eve approve', 2, 'bob', 'NotAnApprover'],
    ['who asks for the place of the person who delegated', '11 eve approve', 12, 'ada', 'ada'],
    ['who asked, with a delegation', '1 cyd approve', 2, 'ada', 'OwnRequest'],
    ['who decides something else', '1 ada approve d0', null, null, 'GateChanged'],
    ['who is late', '30 ada approve', null, null, 'GateClosed'],
  ])('%s', (_what, line, until, forPerson, expected) => {
    const [{ onBehalfOf: _none, ...attempt }] = decisions(line) as [GateDecision];
    const delegations = until === null ? [] : [{ person: 'ada', delegate: attempt.person, until: UNTIL(until) }];
    const standing = entitlementOf(GATE, attempt, delegations, forPerson);
    expect(standing.accepted ? (standing.onBehalfOf ?? 'own') : standing.type).toBe(expected);
  });

  test('whose delegation was ended early decides no more: the last one counts', () => {
    const [{ onBehalfOf: _none, ...attempt }] = decisions('3 eve approve') as [GateDecision];
    const delegation = { person: 'ada', delegate: 'eve' };
    const both = [
      { ...delegation, until: UNTIL(20) },
      { ...delegation, until: UNTIL(2) },
    ];
    expect(entitlementOf(GATE, attempt, both)).toEqual({ accepted: false, type: 'DelegationExpired' });
    expect(entitlementOf(GATE, attempt, both.toReversed())).toEqual({ accepted: true, onBehalfOf: 'ada' });
  });
});

describe('the moments of a gate', () => {
  const times = { requestedAt: ASKED, escalatesAt: ASKED + 10 * DAY, deadline: GATE.deadline, reminderSeconds: 86_400 };

  test('are reminders that become rarer, the escalation and the deadline', () => {
    const found: string[] = [];
    for (let now = ASKED; ;) {
      const moment = nextMoment(times, now);
      if (moment === null || found.length > 20) break;
      now = moment.at;
      found.push(`${(now - ASKED) / DAY} ${moment.what}`);
      if (moment.what === 'deadline') break;
    }
    expect(found).toEqual([
      '1 reminder',
      '3 reminder',
      '7 reminder',
      '10 escalation',
      '14 reminder',
      '21 reminder',
      '28 reminder',
      '30 deadline',
    ]);
  });

  test('none is left', () => {
    expect(nextMoment({ ...times, reminderSeconds: null }, ASKED + 30 * DAY)).toBeNull();
  });
});
