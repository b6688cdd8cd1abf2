import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { type Forge, type ForgeAccess, startForge } from './forge.ts';
import { commitTree, files, git, initRepository } from './scratch-git.ts';

/** The token that {@link startTemplateForge} accepts. */
export const TOKEN = 'ghp_a-secret-token';

/** A forge below `folder` with these repositories, all with the one commit of a template. */
export async function startTemplateForge(
  folder: string,
  names: readonly string[],
  access: ForgeAccess = { token: TOKEN },
): Promise<Forge> {
  const template = makeTemplate(folder);
  for (const name of names) likeTemplate(template, join(folder, 'forge', `${name}.git`));
  return startForge(join(folder, 'forge'), access);
}

/** The addresses of a forge's repositories, with their ids at a provider. */
export function addressesAt(forge: Forge, names: readonly string[], provider: string): RepositoryAddress[] {
  const { host } = new URL(forge.url);
  return names.map((name) => ({
    id: `${provider}/${name}`,
    cloneUrl: `${forge.url}/${name}.git`,
    uid: `${host}:${forge.number(name)}`,
  }));
}

/** A repository `template.git` in a folder, for {@link likeTemplate}. */
export function makeTemplate(folder: string): string {
  const template = join(folder, 'template.git');
  initRepository(template, '--bare');
  commitTree(template, files({ 'a.ts': 'export const a = 1;\n', 'README.md': '# a\n' }));
  git(template, 'pack-refs', '--all');
  return template;
}

/** Adds a commit with a file of this content to a template and to repositories like it. Returns the commit. */
export function commitToAll(template: string, content: string, paths: readonly string[]): string {
  const commit = commitTree(template, files({ 'a.ts': content, 'README.md': '# a\n' }));
  for (const path of paths) {
    const ref = join(path, 'refs/heads/main');
    mkdirSync(dirname(ref), { recursive: true });
    writeFileSync(ref, `${commit}\n`);
  }
  return commit;
}

/** A repository with the commits of another, which shares its objects. */
export function likeTemplate(template: string, path: string): void {
  mkdirSync(join(path, 'refs'), { recursive: true });
  symlinkSync(join(template, 'objects'), join(path, 'objects'));
  for (const name of ['HEAD', 'config', 'packed-refs']) copyFileSync(join(template, name), join(path, name));
}
