import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import {
  changeWorkspaceState,
  workspaceStateAt,
  workspaceStateFile,
} from '../../../activities/workspace/workspace-state-file.ts';
import { readWorkspaceState } from '../../../domain/workspace/workspace-state.schema.ts';
import { git, scratchFolder } from '../../support/scratch-git.ts';
import { planFor, siteOf, walk } from '../../support/workspace/plan-site.ts';
import { plannedWorkspace } from '../../support/workspace/planned-workspace.ts';
import { committedRepository, runWorkspace } from '../../support/workspace/run-workspace.ts';

const HASH = 'a'.repeat(64);

/** What Graft's `State.save` writes for a link. */
function graftState(root: string): object {
  return {
    version: 1,
    workspace_root: root,
    generated_at: '2026-01-01T00:00:00Z',
    entries: [
      {
        repo: 'jido_ai',
        repo_path: join(root, 'jido_ai'),
        target_app: 'req_llm',
        mix_exs_path: join(root, 'jido_ai', 'mix.exs'),
        mix_exs_before_hash: HASH,
        mix_exs_after_hash: HASH,
        preimage: '{:req_llm, "~> 1.0"}',
        replacement: '{:req_llm, path: "../req_llm"}',
        operation: 'link_on',
      },
    ],
  };
}

describe('.graft/state.json', () => {
  test('that Graft wrote is read, and kept when repositories are attached', async () => {
    const root = scratchFolder();
    mkdirSync(join(root, '.graft'));
    const written = graftState(root);
    writeFileSync(workspaceStateFile(root), JSON.stringify(written));
    const repo = { name: 'web', path: 'libs/web', ownership: 'managed' as const, plan: '0'.repeat(16) };
    await changeWorkspaceState(root, { attached: [repo], detached: [] });
    const text = readFileSync(workspaceStateFile(root), 'utf8');
    expect(JSON.parse(text)).toEqual({
      ...written,
      generated_at: expect.any(String) as string,
      repos: [repo],
    });
    // Graft reads its keys strictly, and nothing but those
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'version',
      'workspace_root',
      'generated_at',
      'entries',
      'repos',
    ]);
    await changeWorkspaceState(root, { attached: [repo], detached: [] });
    expect(readFileSync(workspaceStateFile(root), 'utf8')).toBe(text);
    await changeWorkspaceState(root, { attached: [], detached: ['libs/web'] });
    expect(await workspaceStateAt(root)).toMatchObject({ entries: [{ repo: 'jido_ai' }], repos: [] });
  });

  test.each([
    ['{not json', 'InvalidConfiguration', 'is damaged'],
    ['[]', 'InvalidConfiguration', 'is damaged'],
    ['{"version":999,"workspace_root":"/x","generated_at":"x","entries":[]}', 'SchemaMismatch', 'has the version 999'],
    ['{"version":1,"workspace_root":"/x","entries":[]}', 'InvalidConfiguration', 'generated_at'],
    [
      '{"version":1,"workspace_root":"/x","generated_at":"x","entries":[],"repos":[{"name":"x","path":"../x","ownership":"managed","plan":"p"}]}',
      'InvalidConfiguration',
      'below the root',
    ],
  ])('%s is refused, and never taken for an empty one', (text, type, message) => {
    let thrown: unknown;
    try {
      readWorkspaceState(text, 'state.json');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ type, message: expect.stringContaining(message) as string });
  });
});

test('a plan writes what it has attached, and its inverse removes the file', async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch);
  const { root, plan, bytes, origin } = place;
  await applyWorkspacePlan(bytes, siteOf(place));
  const managed = (name: string, path = name) => ({ name, path, ownership: 'managed', plan: plan.id });
  expect((await workspaceStateAt(root)).repos).toEqual([managed('core', 'libs/core'), managed('web')]);
  const wanted = readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8');
  const old = `repositories: [{ name: old, origin: "${origin('old')}" }]`;
  const back = await planFor(place, wanted, old);
  await applyWorkspacePlan(back.bytes, siteOf(place));
  expect((await workspaceStateAt(root)).repos).toEqual([
    { name: 'old', path: 'old', ownership: 'managed', plan: back.plan.id },
  ]);
  committedRepository(join(root, 'other'), { a: '1\n' });
  const none = await planFor(
    place,
    `repositories: [{ name: old, origin: "${origin('old')}" }, { name: other }]`,
    'repositories: [{ name: other }]',
  );
  await applyWorkspacePlan(none.bytes, siteOf(place));
  expect(existsSync(workspaceStateFile(root))).toBe(false);
});

test('a state of another version refuses a plan before the first change', async () => {
  const place = await plannedWorkspace(scratchFolder());
  mkdirSync(join(place.root, '.graft'));
  writeFileSync(workspaceStateFile(place.root), '{"version":2,"entries":[]}');
  const base = walk(place.root);
  await expect(applyWorkspacePlan(place.bytes, siteOf(place))).rejects.toMatchObject({ type: 'SchemaMismatch' });
  expect(walk(place.root)).toEqual(base);
});

test('status says who has attached a repository, and how it differs', async () => {
  const scratch = scratchFolder();
  const place = await plannedWorkspace(scratch);
  const { root, bytes, origin } = place;
  await applyWorkspacePlan(bytes, siteOf(place));
  interface Shown {
    readonly drift: { readonly repos: readonly { repo: string; ownership: string; classification: string }[] };
  }
  const classes = async (code: number) => {
    const shown = await runWorkspace(scratch, ['status', '--root', root, '--drift', '--json']);
    expect(shown.code).toBe(code);
    const { drift } = JSON.parse(shown.out) as Shown;
    return drift.repos.map(({ repo, ownership, classification }) => `${repo} ${ownership} ${classification}`);
  };
  expect(await classes(0)).toEqual(['core managed none', 'web managed none']);

  git(join(root, 'libs/core'), 'checkout', '--quiet', '-b', 'mine');
  rmSync(join(root, 'web'), { recursive: true });
  expect(await classes(1)).toEqual(['core managed changed', 'web managed missing']);

  git(join(root, 'libs/core'), 'checkout', '--quiet', 'topic');
  git(root, 'clone', '--quiet', origin('old'), 'old');
  writeFileSync(join(root, 'longhaul.workspace.yaml'), `repositories: [{ name: old, origin: "${origin('old')}" }]`);
  expect(await classes(1)).toEqual(['core managed unexpected', 'old external none', 'web managed none']);
  const { out } = await runWorkspace(scratch, ['status', '--root', root]);
  expect(out).toContain('the manifest does not ask for it any more');
});
