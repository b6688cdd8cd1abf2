import { describe, expect } from 'vitest';
import { signalRepository } from '../../../activities/catalog/follow.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import { type FlowsFixture, sourceOf, test } from '../../support/catalog/flows.ts';

const CODE = sourceOf('workflows/shared/lanes.ts');

/** The lines that the command prints on standard error. */
async function watched({ estate }: FlowsFixture, workflowId: string): Promise<{ exitCode: number; lines: string[] }> {
  const { exitCode, stderr } = await longhaul(commandEnv(estate), ['watch', workflowId]);
  return { exitCode, lines: stderr.trimEnd().split('\n') };
}

describe('longhaul watch', () => {
  test('shows progress in events like progress in repositories', async ({ flows }) => {
    const { estate, client } = flows;
    await estate.create('acme/api', { 'a.ts': CODE });
    const { workflowId } = await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] });
    const fleet = await watched(flows, workflowId);
    expect(fleet).toMatchObject({ exitCode: 0 });
    expect(fleet.lines.at(-1)).toMatch(/^done: 1\/1 repositories {2}1 files {2}\+\d+ -0 objects$/);

    await estate.commit('acme/api', { 'a.ts': 'export const a = 1;\n' });
    await signalRepository(client, { repository: 'local/acme/api', quietSeconds: 0 }, [{ kind: 'pushed' }]);
    const follow = await watched(flows, 'follow/local/acme/api');
    expect(follow).toMatchObject({ exitCode: 0 });
    expect(follow.lines.at(-1)).toBe('done: 1/1 events  1 rounds');
    expect(follow.lines.join('\n')).not.toMatch(/undefined|NaN/);
  });

  test('shows the requested run, not a later one with the same workflow id', async ({ flows }) => {
    const { estate, client } = flows;
    await estate.create('acme/api', { 'a.ts': CODE });
    const runs: { workflowId: string; firstExecutionRunId: string }[] = [];
    for (let run = 0; run < 2; run++) {
      const handle = await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] });
      await handle.result();
      runs.push(handle);
    }
    const [first, second] = runs;
    expect(first?.workflowId).toBe(second?.workflowId);
    const id = first?.workflowId ?? '';
    const show = async (...more: string[]): Promise<unknown> => {
      const { exitCode, stdout } = await longhaul(commandEnv(estate), ['watch', id, '--json', ...more]);
      expect(exitCode).toBe(0);
      return JSON.parse(stdout);
    };
    expect(await show()).toMatchObject({ workflowId: id, succeeded: 0, skipped: 1 });
    expect(await show('--run-id', first?.firstExecutionRunId ?? '')).toMatchObject({ succeeded: 1, skipped: 0 });
    expect(await show('--run-id', second?.firstExecutionRunId ?? '')).toMatchObject({ succeeded: 0, skipped: 1 });
    const wrong = await longhaul(commandEnv(estate), ['watch', id, '--run-id', 'yesterday']);
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Give the id of a run') as string });
    const unknown = ['watch', id, '--run-id', '00000000-0000-4000-8000-000000000000'];
    expect(await longhaul(commandEnv(estate), unknown)).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
