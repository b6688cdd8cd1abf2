import { existsSync, writeFileSync } from 'node:fs';
import { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { gatesTest, PEOPLE } from '../support/gates/gates.ts';

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
  const file = new URL(`../histories/blocks/v${manifest.version}-gate.binpb`, import.meta.url);
  if (existsSync(file)) throw new Error(`${file.pathname} is already recorded: raise the version first`);
  writeFileSync(file, temporal.api.history.v1.History.encode(await flow.handle.fetchHistory()).finish());
});
