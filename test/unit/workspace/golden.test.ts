import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { scratchFolder } from '../../support/scratch-git.ts';
import { asGolden, graftFixture } from '../../support/workspace/graft-fixture.ts';
import { machine, runWorkspace } from '../../support/workspace/run-workspace.ts';

/** The fixture of Graft's golden files (mix_graft 0.0.1, test/golden). */
function fixture(): { readonly scratch: string; readonly root: string } {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  graftFixture(root);
  return { scratch, root };
}

/** What a command prints, on one line, with the placeholders of golden files. */
function golden(out: string, root: string): string {
  return asGolden(JSON.stringify(JSON.parse(out)), root);
}

test('status.json', async () => {
  const { scratch, root } = fixture();
  const { code, out } = await runWorkspace(scratch, ['status', '--json', '--root', root]);
  expect(code).toBe(0);
  const git =
    '{"ahead":0,"behind":0,"branch":null,"detached_head":false,"dirty":false,"error":"not_a_repo","head_sha":null,"in_progress":"none","is_git_repo":false,"upstream":null}';
  const repo = (name: string, hex: number): string =>
    `{"deps":{"git":0,"hex":${hex},"path":0,"unknown":0},"exists":true,"git":${git},"has_mix_exs":true,"name":"${name}","status":"ok"}`;
  expect(golden(out, root)).toBe(
    `{"generated_at":"<GENERATED_AT>","repo_count":2,"repos":[${repo('jido_ai', 1)},${repo('req_llm', 0)}],"root":"<ROOT>","validation":null}`,
  );
});

describe('validate', () => {
  const argvs = [
    ['deps_get', '["deps.get"]', 'mix deps.get'],
    ['compile', '["compile","--warnings-as-errors"]', 'mix compile --warnings-as-errors'],
    ['test', '["test"]', 'mix test'],
  ] as const;
  const repos = ['req_llm', 'jido_ai'];
  const planned = [
    '{"affected_repos":["req_llm","jido_ai"],"event":"plan_started","target_apps":["req_llm"],"workspace_root":"<ROOT>"}',
    ...repos.map(
      (repo, at) =>
        `{"command_count":3,"event":"repo_planned","position":${at + 1},"repo":"${repo}","repo_path":"<ROOT>/${repo}"}`,
    ),
    ...repos.flatMap((repo) =>
      argvs.map(
        ([kind, argv, description]) =>
          `{"argv":${argv},"description":"${description}","event":"validation_planned","kind":"${kind}","repo":"${repo}"}`,
      ),
    ),
    '{"commands":6,"event":"plan_completed","repos":2,"warnings":[]}',
  ];

  test('validate_dry_run.json', async () => {
    const { scratch, root } = fixture();
    const { code, out } = await runWorkspace(scratch, ['validate', 'req_llm', '--dry-run', '--json', '--root', root]);
    expect([code, asGolden(out, root).trimEnd().split('\n')]).toEqual([0, planned]);
    expect(existsSync(join(root, '.graft'))).toBe(false);
  });

  test('validate_result.json and validate_result_file.json', async () => {
    const { scratch, root } = fixture();
    const { env } = machine(scratch, [['mix']], '#!/bin/sh\nexit 0\n');
    const { code, out } = await runWorkspace(scratch, ['validate', 'req_llm', '--json', '--root', root], env);
    const outcome = (kind: string): string =>
      `"duration_ms":0,"exit_status":0,"failure_category":null,"kind":"${kind}","output_tail":"","status":"passed"`;
    const command = (repo: string, [kind, argv]: (typeof argvs)[number]): string =>
      `{"argv":${argv},"duration_ms":0,"event":"command","exit_status":0,"failure_category":null,"kind":"${kind}","output_tail":"","repo":"${repo}","status":"passed"}`;
    const inResult = ([kind, argv, description]: (typeof argvs)[number]): string =>
      `{"argv":${argv},"description":"${description}",${outcome(kind)}}`;
    const outcomes = repos.map(
      (repo) =>
        `{"commands":[${argvs.map(inResult).join(',')}],"duration_ms":0,"repo":"${repo}","repo_path":"<ROOT>/${repo}","status":"passed"}`,
    );
    expect([code, asGolden(out, root).trimEnd().split('\n')]).toEqual([
      0,
      [
        ...planned,
        ...repos.flatMap((repo) => argvs.map((one) => command(repo, one))),
        `{"affected_repos":["req_llm","jido_ai"],"duration_ms":0,"event":"run_result","failed_count":0,"first_failure":null,"log_path":null,"outcomes":[${outcomes.join(',')}],"passed":true,"passed_count":2,"skipped_count":0,"target_apps":["req_llm"],"workspace_root":"<ROOT>"}`,
      ],
    ]);
    const kept = JSON.parse(readFileSync(join(root, '.graft/validate.result.json'), 'utf8')) as object;
    const fingerprint = '"fingerprint":{"jido_ai":"<SHA>","req_llm":"<SHA>"}';
    expect(asGolden(canonicalText(kept), root).replaceAll(/"[0-9a-f]{64}"/g, '"<SHA>"')).toBe(
      `{"affected_repos":["req_llm","jido_ai"],"duration_ms":0,"failed_count":0,${fingerprint},"first_failure":null,"generated_at":"<GENERATED_AT>","log_path":null,"passed":true,"passed_count":2,"repo_statuses":{"jido_ai":"passed","req_llm":"passed"},"skipped_count":0,"target_apps":["req_llm"],"version":1,"workspace_root":"<ROOT>"}`,
    );
    const status = await runWorkspace(scratch, ['status', '--json', '--root', root]);
    expect(JSON.parse(status.out)).toMatchObject({ validation: { passed: true, version: 1 } });
  });
});

test('error.json', async () => {
  const { scratch, root } = fixture();
  const { code, out } = await runWorkspace(scratch, ['validate', 'nope', '--json', '--root', root]);
  expect([code, out]).toEqual([
    2,
    '{"error":{"details":{"targets":["nope"]},"kind":"plan_target_not_in_workspace","message":"Target app(s) not declared as siblings in graft.exs: [:nope]"}}\n',
  ]);
});

describe('link', () => {
  const before = (root: string): string => readFileSync(join(root, 'jido_ai/mix.exs'), 'utf8');
  const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex');

  test('link_on_dry_run.json, link_on_result.json, link_off_dry_run.json and link_off_result.json', async () => {
    const { scratch, root } = fixture();
    const link = async (...args: string[]) => {
      const { code, out, err } = await runWorkspace(scratch, ['link', ...args, 'req_llm', '--json', '--root', root]);
      expect([code, err]).toEqual([0, '']);
      return asGolden(out, root).trimEnd();
    };
    const text = before(root);
    const linked = text.replace('{:req_llm, "~> 1.0"}', '{:req_llm, path: "../req_llm"}');
    const [old, fresh] = [shaOf(text), shaOf(linked)];
    const declarations =
      '"dependency_source_after":"{:req_llm, path: \\"../req_llm\\"}","dependency_source_before":"{:req_llm, \\"~> 1.0\\"}"';
    const end = '"repo":"jido_ai","repo_path":"<ROOT>/jido_ai","target_app":"req_llm"';
    const tail = '"target_apps":["req_llm"],"warnings":[],"workspace_root":"<ROOT>"}';
    expect(await link('on', '--dry-run')).toBe(
      `{"affected_repos":["jido_ai"],"changes":[{"changed":true,${declarations},"mix_exs_before_hash":"${old}","proposed_mix_exs_after_hash":"${fresh}",${end}}],"dry_run":true,"generated_at":"<GENERATED_AT>","operation":"link_on",${tail}`,
    );
    expect([before(root), existsSync(join(root, '.graft'))]).toEqual([text, false]);
    expect(await link('on')).toBe(
      `{"affected_repos":["jido_ai"],"applied_changes":[{${declarations},"mix_exs_after_hash":"${fresh}","mix_exs_before_hash":"${old}",${end}}],"dry_run":false,"duration_ms":0,"generated_at":"<GENERATED_AT>","operation":"link_on","state_path":"<ROOT>/.graft/state.json",${tail}`,
    );
    expect(before(root)).toBe(linked);
    const images = '"preimage":"{:req_llm, \\"~> 1.0\\"}","replacement":"{:req_llm, path: \\"../req_llm\\"}"';
    const off =
      '"generated_at":"<GENERATED_AT>","operation":"link_off","remaining_entries":0,"remaining_target_apps":[]';
    expect(await link('off', '--dry-run')).toBe(
      `{"affected_repos":["jido_ai"],"dry_run":true,${off},"restorations":[{"mix_exs_after_hash":"${fresh}","mix_exs_before_hash":"${old}","mix_exs_path":"<ROOT>/jido_ai/mix.exs",${images},${end}}],${tail}`,
    );
    expect(await link('off')).toBe(
      `{"affected_repos":["jido_ai"],"dry_run":false,"duration_ms":0,${off},"restored":[{"mix_exs_path":"<ROOT>/jido_ai/mix.exs",${images},${end}}],"state_deleted":true,"state_path":"<ROOT>/.graft/state.json","target_apps":["req_llm"],"workspace_root":"<ROOT>"}`,
    );
    expect([before(root), existsSync(join(root, '.graft/state.json'))]).toEqual([text, false]);
  });
});
