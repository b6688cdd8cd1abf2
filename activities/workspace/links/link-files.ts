import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareTexts } from '../../../domain/workspace/canonical-snapshot.ts';
import {
  LINK_FILES,
  LINK_KINDS,
  type LinkFileState,
  type LinkKind,
} from '../../../domain/workspace/links/file-link.ts';
import { readLinkFile } from '../../../domain/workspace/links/link-file.ts';
import { linkKey } from '../../../domain/workspace/workspace-delta.ts';
import type {
  WorkspaceDiagnostic,
  WorkspaceLink,
  WorkspaceRepo,
} from '../../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { openUntrusted } from '../../../platform/untrusted-file.ts';

const LARGEST_BYTES = 1_000_000;

/**
 * The links that files in the root of a workspace make between repositories that are known. A file whose links were changed
 * by hand makes none, and is a remark. Files that are not ours are not looked at any further.
 */
export async function readLinksInRoot(
  root: string,
  repos: readonly Pick<WorkspaceRepo, 'name' | 'path'>[],
): Promise<{ readonly links: readonly WorkspaceLink[]; readonly diagnostics: readonly WorkspaceDiagnostic[] }> {
  const names = new Map(repos.map(({ name, path }) => [path, name]));
  const files = new Map<string, { readonly repo: string; readonly dep: string; readonly files: string[] }>();
  const diagnostics: WorkspaceDiagnostic[] = [];
  for (const kind of LINK_KINDS) {
    const file = LINK_FILES[kind];
    const found = await stateOf(root, kind);
    if (found.state === 'changed') {
      const message = `The links in ${file} were changed by hand, and do not count: undo this, or remove the file.`;
      diagnostics.push({ severity: 'error', repo: null, kind: 'links_changed', message, file, line: null });
    }
    if (found.state !== 'ours') continue;
    for (const { from, to } of found.links) {
      const [repo, dep] = [names.get(from), names.get(to)];
      if (repo === undefined || dep === undefined) continue;
      const key = linkKey({ repo, dep });
      files.set(key, { repo, dep, files: [...(files.get(key)?.files ?? []), file].sort(compareTexts) });
    }
  }
  const links = [...files.values()].map((link): WorkspaceLink => ({
    ...link,
    type: 'path',
    mix_exs_sha256_before: null,
    mix_exs_sha256_after: null,
    preimage: null,
    replacement: null,
  }));
  return { links, diagnostics };
}

/** Links that manifests declare, and those in the root; one that is in both is in the root. */
export function withLinksInRoot(
  declared: readonly WorkspaceLink[],
  inRoot: readonly WorkspaceLink[],
): readonly WorkspaceLink[] {
  const links = new Map([...declared, ...inRoot].map((link) => [linkKey(link), link]));
  return [...links.values()].sort((a, b) => compareTexts(a.repo, b.repo) || compareTexts(a.dep, b.dep));
}

/** Why links cannot be written into a file of the root, without a subject; null when they can. */
export async function problemOfLinkFile(root: string, kind: LinkKind): Promise<string | null> {
  const { state } = await stateOf(root, kind);
  const place = join(root, LINK_FILES[kind]);
  if (state === 'foreign') return `${place} is there, and is not made by Longhaul`;
  return state === 'changed' ? `the links in ${place} were changed by hand` : null;
}

async function stateOf(root: string, kind: LinkKind): Promise<LinkFileState> {
  const path = join(root, LINK_FILES[kind]);
  const file = await openUntrusted(path);
  if (file === null) return { state: (await isThere(path)) ? 'foreign' : 'none' };
  try {
    if ((await file.stat()).size > LARGEST_BYTES) return { state: 'foreign' };
    return readLinkFile(kind, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
