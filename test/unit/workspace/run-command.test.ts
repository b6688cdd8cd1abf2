import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { identify, isRunning } from '../../../platform/process-identity.ts';
import { failureOf } from '../../support/mgit.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { repositoryWith } from '../../support/workspace/linked-workspace.ts';
import {
  changedPlan,
  type MadePlan,
  planFor,
  planPlace,
  type PlanPlace,
  siteOf,
  walk,
} from '../../support/workspace/plan-site.ts';

const SECRET = 'ghp_secret';

/** A workspace in which `api` is cloned and prepared by these programs; the plan and its place. */
async function prepared(
  setup: readonly (readonly string[])[],
  environment: Readonly<Record<string, string>> = {},
): Promise<PlanPlace & MadePlan> {
  const place = planPlace(scratchFolder());
  const origin = repositoryWith(join(place.scratch, 'origins', 'api'), { '.gitignore': 'made\n', a: '1\n' });
  const manifest = `repositories: [{ name: api, origin: "${origin}", setup: ${JSON.stringify(setup)} }]\n`;
  const made = await planFor(place, manifest, manifest);
  const operations = made.plan.operations.map((each) =>
    each.type === 'run_command' ? { ...each, params: { ...each.params, environment } } : each,
  );
  return { ...place, ...changedPlan(made, { operations }) };
}

const allowed = (place: PlanPlace, ...commands: readonly (readonly string[])[]) => {
  const site = siteOf(place);
  return { ...site, commands, env: { ...site.env, GITHUB_TOKEN: SECRET, DATABASE_URL: SECRET } };
};

describe('programs of setup', () => {
  test('run in their repository, in their order, with the variables of the manifest and without secrets', async () => {
    const place = await prepared(
      [
        ['sh', '-c', 'env > made; pwd -P >> made'],
        ['sh', '-c', 'echo second >> made'],
      ],
      { CI: '1' },
    );
    const { drift } = await applyWorkspacePlan(place.bytes, allowed(place, ['sh']));
    expect(drift).toEqual({ added: [], removed: [], changed: [] });
    const lines = readFileSync(join(place.root, 'api', 'made'), 'utf8')
      .trim()
      .split('\n');
    expect(lines.slice(-2)).toEqual([join(place.root, 'api'), 'second']);
    expect(lines).toContain('CI=1');
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  test('that the machine does not allow are refused before anything is changed', async () => {
    const place = await prepared([['sh', '-c', 'echo made']]);
    const base = walk(place.root);
    for (const commands of [[], [['sh', '-x']], [['npm']]]) {
      expect(await failureOf(applyWorkspacePlan(place.bytes, allowed(place, ...commands)))).toMatch(
        /^NotAllowedHere: /,
      );
    }
    for (const variable of ['PATH', 'LD_PRELOAD', 'NODE_OPTIONS', 'GIT_SSH_COMMAND', 'npm_config_script_shell']) {
      const other = await prepared([['sh', '-c', 'echo made']], { [variable]: '.' });
      expect(await failureOf(applyWorkspacePlan(other.bytes, allowed(other, ['sh'])))).toBe(
        `NotAllowedHere: The plan sets the variable ${variable} for api, which decides what programs run: no plan may.`,
      );
    }
    expect(walk(place.root)).toEqual(base);
  });

  test('that fail undo the plan, and their last lines are told', async () => {
    const script = 'seq 1 100000; echo "it broke" >&2; exit 3';
    const place = await prepared([['sh', '-c', script]]);
    const base = walk(place.root);
    const failure = await failureOf(applyWorkspacePlan(place.bytes, allowed(place, ['sh'])));
    expect(failure).toBe(`ProgramFailed: ${JSON.stringify(['sh', '-c', script])} for api ended with 3:\nit broke`);
    expect(walk(place.root)).toEqual(base);
    const missing = await prepared([['no-such-program']]);
    expect(await failureOf(applyWorkspacePlan(missing.bytes, allowed(missing, ['no-such-program'])))).toMatch(
      /no-such-program/,
    );
  });

  test('end with all that they have started when the plan is stopped, and run again with it', async () => {
    const place = await prepared([
      ['sh', '-c', '[ -e made ] || { sleep 600 & echo $$ $! > made.new; mv made.new made; wait; }'],
    ]);
    const made = join(place.root, 'api', 'made');
    const stop = new AbortController();
    const applying = applyWorkspacePlan(place.bytes, { ...allowed(place, ['sh']), signal: stop.signal });
    applying.catch(() => undefined);
    while (!existsSync(made)) await delay(10);
    const processes = readFileSync(made, 'utf8').trim().split(' ').map(Number).map(identify);
    stop.abort(new Error('the worker stops'));
    await expect(applying).rejects.toThrow('the worker stops');
    expect(processes.map((each) => each !== null && isRunning(each))).toEqual([false, false]);
    const again = await applyWorkspacePlan(place.bytes, allowed(place, ['sh']));
    expect(again.outcome).toBe('committed');
  });
});
