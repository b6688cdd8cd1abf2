import { expect } from 'vitest';
import { gatesTest, PEOPLE } from '../support/gates/gates.ts';
import { recordHistory } from '../support/record-history.ts';

const test = gatesTest(PEOPLE);
const DAY_SECONDS = 86_400;

/** Run by `npm run histories` for a release: later versions must replay this history of `passGate`. */
test('records a gate with everything that can happen to one, and never overwrites it', async ({ gates }) => {
  const flow = await gates.ask(
    {
      deadline: { seconds: 30 * DAY_SECONDS, outcome: 'rejected' },
      escalation: { afterSeconds: 4 * DAY_SECONDS, to: ['directors'] },
      reminderSeconds: DAY_SECONDS,
      evidence: ['3 changes, all proven'],
    },
    { type: 'askAboutPlan', id: 'record/gate' },
  );
  const first = await flow.gate();
  await flow.handle.signal('decide', { by: 'ada', verdict: 'approve' });
  await expect(flow.handle.executeUpdate('decide', { args: [{ by: 'ada' }] })).rejects.toMatchObject({
    cause: { type: 'NotAnApprover' },
  });
  await flow.decide({ person: 'ada' });
  await flow.handle.signal('change', 'd2');
  await expect.poll(() => flow.gate()).not.toBe(first);
  const decide = (person: string, day: number, verdict: 'approve' | 'revoke' = 'approve'): Promise<unknown> =>
    flow.decide({ person, day, verdict, digest: 'd2' });
  await decide('ada', 0);
  await flow.skipTo(1.5);
  await decide('ada', 1.5, 'revoke');
  await flow.skipTo(5);
  await decide('eve', 5);
  await gates.restart();
  await decide('bob', 6);
  expect(await flow.handle.result()).toMatchObject({
    status: 'approved',
    decisions: [{ person: 'eve' }, { person: 'bob' }],
  });
  recordHistory('gate', await flow.handle.fetchHistory(), 'blocks/');
});
