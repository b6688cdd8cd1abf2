import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkedRepo, LinkFacts } from '../../../domain/workspace/links/plan-link.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { openUntrusted } from '../../../platform/untrusted-file.ts';
import { parseGoMod } from '../manifests/go-mod.ts';
import { LARGEST_MANIFEST } from '../manifests/limits.ts';

/** What the files of two repositories say that packages do not: see {@link LinkFacts}. */
export async function linkFacts(root: string, from: LinkedRepo, to: LinkedRepo): Promise<LinkFacts> {
  const goVersions = new Map<string, string>();
  for (const repo of [from, to]) {
    for (const { ecosystem, path, file } of repo.packages) {
      if (ecosystem !== 'go') continue;
      const version = await goVersionOf(join(root, repo.path, file));
      if (version !== null) goVersions.set(path === '.' ? repo.path : `${repo.path}/${path}`, version);
    }
  }
  const pnpm = await Promise.all(
    ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => isThere(join(root, from.path, name))),
  );
  return { goVersions, usesPnpm: pnpm.includes(true) };
}

async function goVersionOf(goMod: string): Promise<string | null> {
  const file = await openUntrusted(goMod);
  if (file === null) return null;
  try {
    if ((await file.stat()).size > LARGEST_MANIFEST) return null;
    const { directives } = parseGoMod(await file.readFile('utf8'));
    return directives.find(({ keyword }) => keyword === 'go')?.words[0] ?? null;
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent)) !== null;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
