import { z } from 'zod';
import { check, describeIssue } from '../shared/check.schema.ts';
import { LonghaulError } from '../shared/failures.ts';
import { isRepoPath } from './workspace-manifest.ts';
import { STATE_VERSION, type WorkspaceState } from './workspace-state.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');

const stateSchema = z.object({
  version: z.literal(STATE_VERSION),
  workspace_root: z.string(),
  generated_at: z.string(),
  entries: z.array(
    z.object({
      repo: z.string(),
      repo_path: z.string(),
      target_app: z.string(),
      mix_exs_path: z.string(),
      mix_exs_before_hash: hash,
      mix_exs_after_hash: hash,
      preimage: z.string().min(1),
      replacement: z.string().min(1),
      operation: z.literal('link_on'),
    }),
  ),
  repos: z
    .array(
      z.object({
        name: z.string(),
        path: z.string().refine(isRepoPath, 'must be a folder below the root'),
        ownership: z.literal('managed'),
        plan: z.string(),
      }),
    )
    .default([]),
});

/**
 * Reads the text of `.graft/state.json`. `from` names it in messages. Throws `SchemaMismatch` for another version than the
 * known one, and `InvalidConfiguration` for what is no such file: it is never taken for an empty one, because links could
 * then not be taken back.
 */
export function readWorkspaceState(text: string, from: string): WorkspaceState {
  const value = parsed(text, from);
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version !== STATE_VERSION) {
    throw new LonghaulError(
      'SchemaMismatch',
      `${from} has the version ${version}, and this program knows version ${STATE_VERSION}: use the program that wrote it.`,
    );
  }
  const { data, error } = check(stateSchema, value);
  if (error !== undefined) throw damaged(from, describeIssue(error));
  return { entries: data.entries, repos: data.repos };
}

function parsed(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(from, error instanceof Error ? error.message : String(error));
  }
}

function damaged(from: string, why: string): LonghaulError {
  return new LonghaulError(
    'InvalidConfiguration',
    `${from} is damaged: ${why}. It says which links to take back and which repositories to leave: mend it by hand.`,
  );
}
