import { describe, expect, test } from 'vitest';
import type { PlannedDeployment } from '../../../../domain/release/deployment/deployment.ts';
import {
  describeDeployment,
  type DeploymentView,
  describePlan,
  describeStayed,
  shortId,
} from '../../../../domain/release/deployment/describe.ts';

function plan(previous: string | null, back: string | null): PlannedDeployment {
  return {
    deployment: '01a22caf-2361-7b44-a331-095680e78c9c',
    digest: '0'.repeat(64),
    shared: null,
    diff: '0'.repeat(64),
    counts: { create: 0, update: 1, delete: 0, none: 1 },
    changes: [{ service: 'api', objects: 1 }],
    canaries: [],
    settled: [],
    problems: [],
    irreversible: [],
    previous: previous === null ? null : ({ version: previous } as PlannedDeployment['previous']),
    back,
    freezes: [],
    approvals: null,
    deletes: false,
  };
}

describe('a plan', () => {
  test.each([
    [null, false, null, []],
    ['v1.0.0', false, 'v1.0.0', ['Back: longhaul rollback --env staging --to v1.0.0']],
    // the same release again
    ['v1.1.0', false, 'v1.0.0', []],
    // a release from which people went back is deployed again
    ['v1.2.0', true, null, ['Back: longhaul deploy v1.2.0 --env staging']],
    // the commit of a pipeline is not deployed again
    ['0123456789ab', false, 'v1.0.0', ['Back: longhaul rollback --env staging --to v1.0.0']],
    ['0123456789ab', false, null, []],
    ['0123456789ab', true, 'v1.0.0', []],
  ])(
    'over %s, going back: %s, with %s below, ends with the command that goes back',
    (previous, goBack, before, back) => {
      const lines = describePlan({ version: 'v1.1.0', environment: 'staging', goBack }, plan(previous, before)).split(
        '\n',
      );
      expect(lines).toEqual([
        `v1.1.0 to staging, now ${previous ?? 'nothing of this repository'}`,
        '  api: 1 object change',
        '  0 are created, 1 changed, 0 deleted, 1 stay as they are',
        ...back,
      ]);
    },
  );
});

test('a plan says which images are given by tag', () => {
  const asked = { version: 'v1.1.0', environment: 'staging', goBack: false };
  const text = describePlan(asked, { ...plan(null, null), imagesByTag: ['api:1', 'web:2'] });
  expect(text.split('\n').at(-1)).toBe('  images by tag, which can be moved: api:1, web:2');
});

test('so does a deployment', () => {
  const view: DeploymentView = {
    id: '01a22caf-2361-7b44-a331-095680e78c9c',
    repository: 'work/acme/api',
    environment: 'staging',
    context: 'staging',
    version: 'v1.1.0',
    commit: 'a'.repeat(40),
    services: ['api'],
    goesBack: false,
    status: 'deployed',
    plan: null,
    diff: null,
    why: null,
    reason: null,
    passedOver: [],
    overrideFreeze: null,
    imagesByTag: ['api:1'],
    approvedBy: [],
    shared: null,
    by: 'ada',
    workflowId: 'deploy/work/acme/api/staging',
    plannedAt: '2026-11-30T12:00:00.000Z',
    startedAt: null,
    endedAt: null,
    objects: [],
    samples: [],
  };
  expect(describeDeployment(view).split('\n').slice(1)).toEqual(['images by tag, which can be moved: api:1']);
  expect(describeDeployment({ ...view, imagesByTag: [] })).not.toContain('images');
});

test('what stayed says how many samples there are', () => {
  const stayed = { version: 'v1.1.0', environment: 'staging' };
  expect([0, 1, 2].map((samples) => describeStayed({ ...stayed, samples }))).toEqual([
    'v1.1.0 is in staging: healthy, 0 samples',
    'v1.1.0 is in staging: healthy, 1 sample',
    'v1.1.0 is in staging: healthy, 2 samples',
  ]);
});

test('short ids of deployments of one minute differ', () => {
  const ids = ['01a22cae-a0f1-7b44-a331-095680e78c9c', '01a22cae-e3b2-7c11-8f00-5a5680e78c9d'];
  expect(ids.map(shortId)).toEqual(['01a22cae-a0f1', '01a22cae-e3b2']);
});
