import { expect, test } from 'vitest';
import { flowProgress } from '../../../domain/shared/progress.schema.ts';
import { type FlowSteps, stepProgress } from '../../../domain/shared/step-progress.ts';

const NEW: FlowSteps = { begun: 0, running: [], pauses: [], outcome: null };

test.for<[string, Partial<FlowSteps>, object]>([
  ['before its first step', {}, { stage: 'starting', done: 0, total: 0, lines: [] }],
  [
    'during an activity',
    { begun: 2, running: [{ name: 'mgit diff acme/api | index' }] },
    { stage: 'working', done: 1, total: 2, lines: ['mgit diff acme/api | index'] },
  ],
  [
    'during a child, which knows more',
    { begun: 1, running: [{ name: 'sync acme/api', child: 'sync/local/acme/api' }] },
    { stage: 'working', done: 0, total: 1, child: 'sync/local/acme/api' },
  ],
  [
    'during a pause',
    { begun: 1, pauses: ['another declaration is being applied'] },
    { stage: 'waiting', done: 1, total: 1, lines: ['another declaration is being applied'] },
  ],
  ['after its end', { begun: 3, outcome: 'done' }, { stage: 'done', done: 3, total: 3, lines: [] }],
])('the progress of a flow %s', ([, steps, progress]) => {
  expect(stepProgress({ ...NEW, ...steps })).toMatchObject({ unit: 'steps', asks: null, ...progress });
});

test('of many steps some are named, and of several children none stands for all', () => {
  const running = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ name: `step ${n}`, child: `child/${n}` }));
  const progress = stepProgress({ ...NEW, begun: 9, running });
  expect(flowProgress.parse(progress)).toEqual({
    stage: 'working',
    done: 2,
    total: 9,
    unit: 'steps',
    lines: ['step 1', 'step 2', 'step 3', 'step 4', 'step 5', 'and 2 more'],
    asks: null,
  });
});
