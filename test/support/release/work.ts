import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { git } from '../scratch-git.ts';
import type { Release } from './releases.ts';

/** Writes files into a folder. */
export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Commits everything in a clone and returns the commit. */
export function commit(folder: string, message: string, author?: string): string {
  git(folder, 'add', '--all');
  const by = author === undefined ? [] : ['--author', `${author} <${author}@example.com>`];
  git(folder, 'commit', '--quiet', '--allow-empty', ...by, '-m', message);
  return git(folder, 'rev-parse', 'HEAD');
}

/** The tags of a repository. */
export function tagsOf(remote: string): string[] {
  return git(remote, 'tag', '--list').split('\n').filter(Boolean);
}

/** A generation file with these changes. */
export function generation(version: string, changes: readonly string[], type = 'add'): string {
  const list = changes.map((id) => `  - {type: ${type}, id: ${id}, title: "The change ${id}"}\n`).join('');
  return `version: ${version}\ndescription: "A release"\nchanges:\n${list}pipeline_template: full-ci\n`;
}

/** Starts an evolution, commits files as the change, and proves it; returns the commit. */
export async function prove(
  { clone, longhaul }: Pick<Release, 'clone' | 'longhaul'>,
  version: string,
  change: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const started = await longhaul('evolution', 'start', version, '--change', change);
  if (started.exitCode !== 0) throw new Error(`${started.stdout}${started.stderr}`);
  write(clone, files);
  const made = commit(clone, `feat: the change [${change}]`);
  const run = await longhaul('run', 'full-ci');
  if (run.exitCode !== 0) throw new Error(`${run.stdout}${run.stderr}`);
  return made;
}
