import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAILURES } from '../../../domain/shared/failures.ts';
import { graftKindOf } from '../../../domain/workspace/graft-error.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { runWorkspace } from '../../support/workspace/run-workspace.ts';

test('every failure has one of the six kinds, or is about what a command was given', () => {
  const kinds = Object.keys(FAILURES).map((type) => graftKindOf(type));
  expect([...new Set(kinds)].toSorted()).toEqual([
    'discovery_failed',
    'drift_detected',
    'execution_failed',
    'plan_invalid_operation',
    'plan_precondition_failed',
    'rollback_failed',
    'schema_mismatch',
  ]);
});

test.each([
  ['status', 'discovery_failed', 'longhaul.workspace.yaml', 'repositories: [{ name: "../x" }]', 2],
  ['status', 'schema_mismatch', '.graft/state.json', '{"version":2}', 3],
  ['status', 'discovery_failed', '.graft/state.json', '{"version":1}', 2],
])('%s prints %s because of %s', async (command, kind, file, text, exitCode) => {
  const root = scratchFolder();
  mkdirSync(join(root, '.graft'));
  writeFileSync(join(root, file), text);
  const { code, out } = await runWorkspace(root, [command, '--root', root, '--json']);
  const { error } = JSON.parse(out) as { readonly error: object };
  expect(code).toBe(exitCode);
  expect(Object.keys(error)).toEqual(['details', 'kind', 'message']);
  expect(error).toMatchObject({ kind, message: expect.stringContaining(file) as string });
});

test('a plan that cannot be applied on a machine without a name is no JSON of the house', async () => {
  const root = scratchFolder();
  const plan = join(root, 'plan.json');
  writeFileSync(plan, '{}');
  const { code, out } = await runWorkspace(root, ['apply', plan, '--root', root, '--json']);
  expect([code, JSON.parse(out)]).toEqual([
    2,
    {
      error: {
        details: { remedy: expect.any(String) as string, type: 'InvalidInput' },
        kind: 'plan_invalid_operation',
        message: expect.stringContaining('This machine has no name') as string,
      },
    },
  ]);
});
