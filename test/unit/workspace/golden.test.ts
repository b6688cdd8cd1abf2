import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../../support/scratch-git.ts';
import { asGolden, graftFixture } from '../../support/workspace/graft-fixture.ts';
import { runWorkspace } from '../../support/workspace/run-workspace.ts';

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
