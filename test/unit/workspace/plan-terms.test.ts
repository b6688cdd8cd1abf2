import { expect, test } from 'vitest';
import { refuseAge } from '../../../activities/workspace/host-activities.ts';
import { identifyPlan } from '../../../activities/workspace/workspace-ids.ts';
import { actOf } from '../../../domain/shared/acts.ts';
import { applyPlanFlow, workspaceKey } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';

const NOON = '2026-03-01T12:00:00.000Z';

test.each<[createdAt: string, failure: RegExp]>([
  ['2026-03-01T11:59:00.000Z', /^accepted$/],
  ['2026-03-01T11:49:59.000Z', /made at 2026-03-01T11:49:59.000Z, more than 600 seconds ago: make a new one\.$/],
  // the clock of another machine
  ['2026-03-01T12:00:59.000Z', /^accepted$/],
  ['2026-03-01T12:01:01.000Z', /made at 2026-03-01T12:01:01.000Z, which is in the future at 2026-03-01T12:00:00/],
  ['2036-03-01T12:00:00.000Z', /in the future/],
])('a plan that was made at %s and may be ten minutes old', (createdAt, answer) => {
  expect(() => {
    refuseAge({ plan: '0123456789abcdef', createdAt, operations: 1, isThere: false, programs: [] }, 600, NOON);
    throw new Error('accepted');
  }).toThrow(answer);
});

test('the id of a plan is computed: a whole plan that was changed is refused', async () => {
  const { plan } = await plannedWorkspace(scratchFolder());
  expect(identifyPlan(plan, NOON)).toEqual({ ...plan, created_at: NOON });
  expect(() => identifyPlan({ ...plan, action: 'detach' }, NOON)).toThrow(
    `The plan ${plan.id} was edited after it was made`,
  );
  const { id: _id, ...content } = plan;
  expect(identifyPlan({ ...content, action: 'detach' }, NOON).id).not.toBe(plan.id);
});

test('the audit trail names a workspace in one form, whether its plan was refused or applied', () => {
  const input = { host: 'desk', root: '/home/ada/work', plan: 'a'.repeat(64) };
  expect(actOf(applyPlanFlow, input).subject).toBe(workspaceKey('desk', '/home/ada/work'));
  expect(actOf(applyPlanFlow, { host: 'desk' }).subject).toBe('desk');
  expect(actOf(applyPlanFlow, null).subject).toBe('unknown');
});
