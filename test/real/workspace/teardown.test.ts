import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { walk } from '../../support/workspace/plan-site.ts';
import { hostTest, type WorkspaceHost } from '../../support/workspace/workspace-host.ts';

const test = hostTest({ commands: [['git', 'fsck']] });

/** A workspace with a repository of the person, after the plan of its manifest was applied. */
async function applied(host: WorkspaceHost, name: string, manifest: readonly string[] = []) {
  const { estate, roots } = host;
  for (const each of ['api', 'web']) await estate.create(`${name}/${each}`, { 'README.md': `${each}\n` });
  const root = join(roots, name);
  mkdirSync(root);
  git(root, 'clone', '--quiet', estate.gitDir(`${name}/web`), 'mine');
  const at = (each: string): string => JSON.stringify(estate.gitDir(`${name}/${each}`));
  writeFileSync(
    join(root, 'longhaul.workspace.yaml'),
    [
      'repositories:',
      `  - { name: api, origin: ${at('api')}, branch: feature/login }`,
      `  - { name: web, origin: ${at('web')}, branch: feature/login }`,
      '  - { name: mine, role: read }',
      ...manifest,
      '',
    ].join('\n'),
  );
  const base = walk(root);
  const plan = `${root}.plan.json`;
  expect(await host.longhaul('workspace', 'plan', '--root', root, '-o', plan)).toMatchObject({ exitCode: 0 });
  expect(await host.longhaul('workspace', 'apply', plan, '--root', root)).toMatchObject({ exitCode: 0 });
  return { root, base };
}

/** The events of the workspace in the audit trail, after those of its plans. */
async function actsOf({ ledger }: WorkspaceHost, root: string) {
  return ledger.sql<{ event_type: string; actor: string; name: string | null }>(
    `SELECT event_type, actor, details_json->>'name' AS name FROM longhaul.audit_events
     WHERE resource_id = 'workspace/desk${root}'
       AND event_type NOT IN ('workspace.planned', 'workspace.verified', 'workspace.executing', 'workspace.committed')
     ORDER BY event_id`,
  );
}

describe('longhaul workspace teardown', () => {
  test('takes back exactly what the workspace has attached, and forgets it', async ({ host }) => {
    const { root, base } = await applied(host, 'clean');
    expect(readdirSync(root).toSorted()).toEqual(['.graft', 'api', 'longhaul.workspace.yaml', 'mine', 'web']);
    const ended = await host.longhaul('workspace', 'teardown', '--root', root, '--json');
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(ended.stdout)).toMatchObject({ operations: 2, quarantined: [], drift: [], kept: [] });
    expect(walk(root)).toEqual(base);
    expect((await actsOf(host, root)).map(({ event_type: type }) => type)).toEqual(['workspace.torn_down']);
    // there is nothing left to end
    const again = await host.longhaul('workspace', 'teardown', '--root', root, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ operations: 0, drift: [] });
    expect(walk(root)).toEqual(base);
  });

  test('asks about work by its name, keeps it in quarantine, and it can be restored', async ({ host }) => {
    const { root, base } = await applied(host, 'work');
    writeFileSync(join(root, 'api', 'new'), 'mine\n');
    git(join(root, 'web'), 'commit', '--quiet', '--allow-empty', '--message', 'mine');
    const commit = git(join(root, 'web'), 'rev-parse', 'HEAD');
    const before = walk(root);
    const declined = await host.longhaul('workspace', 'teardown', '--root', root, '--json', '--confirm', 'api');
    expect(declined).toMatchObject({
      exitCode: 9,
      stdout: expect.stringContaining('did not confirm web: it has commits that no remote has') as string,
    });
    expect(walk(root)).toEqual(before);

    const ended = await host.longhaul('workspace', 'teardown', '--root', root, '--confirm', 'api', '--confirm', 'web');
    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('api is in quarantine') as string });
    expect(walk(root)).toEqual(base);
    const acts = await actsOf(host, root);
    expect(acts.map(({ event_type: type, name }) => `${type} ${name}`)).toEqual([
      'workspace.confirmed api',
      'workspace.declined web',
      'workspace.refused null',
      'workspace.confirmed api',
      'workspace.confirmed web',
      'workspace.quarantined api',
      'workspace.quarantined web',
      'workspace.torn_down clean',
    ]);
    expect(acts.every(({ actor }) => actor !== 'unknown')).toBe(true);

    const listed = await host.longhaul('workspace', 'quarantine', '--json');
    const entries = (JSON.parse(listed.stdout) as { id: string; root: string; path: string }[]).filter(
      (entry) => entry.root === root,
    );
    expect(entries.map(({ path }) => path)).toEqual(['api', 'web']);
    for (const { id } of entries) {
      expect(await host.longhaul('workspace', 'restore', id)).toMatchObject({ exitCode: 0 });
    }
    expect(readFileSync(join(root, 'api', 'new'), 'utf8')).toBe('mine\n');
    expect(git(join(root, 'web'), 'rev-parse', 'feature/login')).toBe(commit);
  });

  test('a plain start from the Temporal UI is answered there, and tests that have not run are asked about', async ({
    host,
  }) => {
    const { root, base } = await applied(host, 'tests');
    const file = join(root, 'longhaul.workspace.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace('branch: feature/login }', 'branch: feature/login, commands: { test: [git, fsck] } }'),
    );
    // a run at another commit says nothing about this one
    const validated = await host.longhaul('workspace', 'validate', '--root', root);
    expect(validated).toMatchObject({ exitCode: 0 });
    git(join(root, 'api'), 'commit', '--quiet', '--allow-empty', '--message', 'pushed');
    git(join(root, 'api'), 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature/login');
    const handle = await host.client.workflow.start('teardownWorkspace', {
      taskQueue: 'longhaul-flows',
      workflowId: `workspace/desk${root}`,
      args: [{ host: 'desk', root, mode: 'clean' }],
    });
    await expect
      .poll(() => handle.query('losses'))
      .toEqual([{ name: 'tests:api', work: ['a run of test is not recorded for its commit'] }]);
    await expect(handle.executeUpdate('confirmLoss', { args: [{ name: 'web', proceed: true }] })).rejects.toMatchObject(
      {
        cause: { message: 'name: this run asks about tests:api.' },
      },
    );
    await handle.executeUpdate('confirmLoss', { args: [{ name: 'tests:api', proceed: true, by: 'ada' }] });
    expect(await handle.result()).toMatchObject({ operations: 2, drift: [] });
    writeFileSync(file, text);
    expect(walk(root)).toEqual(base);
    expect(await actsOf(host, root)).toMatchObject([
      { event_type: 'workspace.confirmed', actor: 'ada', name: 'tests:api' },
      { event_type: 'workspace.torn_down' },
    ]);
    const { root: validatedRoot, base: before } = await applied(host, 'validated');
    const manifest = join(validatedRoot, 'longhaul.workspace.yaml');
    const known = readFileSync(manifest, 'utf8');
    writeFileSync(
      manifest,
      known.replaceAll('branch: feature/login }', 'branch: feature/login, commands: { test: [git, fsck] } }'),
    );
    expect(await host.longhaul('workspace', 'validate', '--root', validatedRoot)).toMatchObject({ exitCode: 0 });
    expect(await host.longhaul('workspace', 'teardown', '--root', validatedRoot, '--json')).toMatchObject({
      exitCode: 0,
    });
    writeFileSync(manifest, known);
    expect(walk(validatedRoot)).toEqual(before);
    // a wrong input is refused, and recorded as other acts are
    const wrong = await host.client.workflow.start('teardownWorkspace', {
      taskQueue: 'longhaul-flows',
      workflowId: 'a teardown that is wrong',
      args: [{ host: 'desk', root, mode: 'burn' }],
    });
    await expect(wrong.result()).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    expect((await actsOf(host, root)).at(-1)?.event_type).toBe('workspace.refused');
  });

  test('detach and preserve keep the repositories; what another workspace needs stays', async ({ host }) => {
    const { root } = await applied(host, 'detach');
    const before = Object.entries(walk(root)).filter(([name]) => !name.startsWith('/.graft'));
    const detached = await host.longhaul('workspace', 'teardown', '--root', root, '--mode', 'detach');
    expect(detached).toMatchObject({ exitCode: 0 });
    expect(Object.entries(walk(root))).toEqual(before);

    const { root: kept } = await applied(host, 'keep');
    const all = walk(kept);
    expect(await host.longhaul('workspace', 'teardown', '--root', kept, '--mode', 'preserve')).toMatchObject({
      exitCode: 0,
    });
    expect(walk(kept)).toEqual(all);

    const { root: provider } = await applied(host, 'provider');
    const consumer = join(host.roots, 'consumer');
    mkdirSync(consumer);
    writeFileSync(
      join(consumer, 'longhaul.workspace.yaml'),
      `repositories:\n  - { name: copy, origin: ${JSON.stringify(join(provider, 'api'))} }\n`,
    );
    const plan = `${consumer}.plan.json`;
    await host.longhaul('workspace', 'plan', '--root', consumer, '-o', plan);
    expect(await host.longhaul('workspace', 'apply', plan, '--root', consumer)).toMatchObject({ exitCode: 0 });
    const partly = await host.longhaul('workspace', 'teardown', '--root', provider);
    expect(partly).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`api stays: the repository copy of ${consumer} comes from it`) as string,
    });
    expect([existsSync(join(provider, 'api')), existsSync(join(provider, 'web'))]).toEqual([true, false]);
    rmSync(consumer, { recursive: true });
  });
});
