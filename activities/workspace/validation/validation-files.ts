import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyJson } from '../../../domain/workspace/any-json.ts';
import {
  readValidationRecords,
  type ValidationRecords,
  validationRecordsText,
} from '../../../domain/workspace/validation-record.schema.ts';
import { keptResult, type ValidationResult } from '../../../domain/workspace/validation-result.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import { GRAFT_FOLDER, holdWorkspace } from '../workspace-lock.ts';
import type { RepoFingerprint } from './repo-fingerprints.ts';

const RESULT = 'validate.result.json';
const RECORDS = 'validations.json';
/** The names of these files in the folder `.graft`. */
export const VALIDATION_FILES: readonly string[] = [RESULT, RECORDS];

/** What was recorded of the latest validation of a workspace, as Graft has it; null when nothing was, or it is damaged. */
export async function keptValidation(root: string): Promise<AnyJson> {
  const text = await textIn(root, RESULT);
  try {
    const value = JSON.parse(text ?? 'null') as { readonly version?: unknown } | null;
    return value?.version === 1 ? (value as AnyJson) : null;
  } catch {
    return null;
  }
}

/** The latest run of each repository. */
export async function validationRecords(root: string): Promise<ValidationRecords> {
  return readValidationRecords(await textIn(root, RECORDS));
}

/**
 * Records a validation under the lock of the workspace: its result, and for each repository that ran to its end the commit and
 * the content at which it did. Of a repository that was `changed` meanwhile nothing is known: its programs may have seen any
 * of its contents. Throws `WorkspaceBusy` while another program changes the workspace.
 */
export async function recordValidation(
  root: string,
  dataDir: string,
  result: ValidationResult,
  fingerprints: ReadonlyMap<string, RepoFingerprint>,
  changed: ReadonlySet<string>,
): Promise<void> {
  const at = new Date().toISOString();
  const same = [...fingerprints].filter(([repo]) => !changed.has(repo));
  const digests = Object.fromEntries(same.map(([repo, { fingerprint }]) => [repo, fingerprint]));
  const workspace = await holdWorkspace(root, { dataDir });
  try {
    const records = { ...(await validationRecords(root)) };
    for (const { repo, status, commands } of result.outcomes) {
      const found = fingerprints.get(repo);
      // one that was not run again keeps its record
      const hasRun = commands.length > 0 && commands[0]?.status !== 'skipped';
      if (found === undefined || !hasRun || status === 'skipped') continue;
      // an earlier record must not contradict a run of which it is not known what it has seen
      if (changed.has(repo)) delete records[repo];
      else records[repo] = { ...found, status, at };
    }
    const folder = join(root, GRAFT_FOLDER);
    await writeWhole(join(folder, RECORDS), validationRecordsText(records));
    await writeWhole(join(folder, RESULT), `${JSON.stringify(keptResult(result, digests, at), null, 2)}\n`);
  } finally {
    await workspace.leave('committed');
  }
}

async function textIn(root: string, name: string): Promise<string | null> {
  try {
    return await readFile(join(root, GRAFT_FOLDER, name), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
