import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Forge, type ForgeAccess, startForge } from './forge.ts';
import { commitTree, files, git, initRepository } from './scratch-git.ts';

/** The token that {@link startTemplateForge} lets in. */
export const TOKEN = 'ghp_a-secret-token';

/** A forge below `folder` with these repositories, all with the one commit of a template. */
export async function startTemplateForge(
  folder: string,
  names: readonly string[],
  access: ForgeAccess = { token: TOKEN },
): Promise<Forge> {
  const template = join(folder, 'template.git');
  initRepository(template, '--bare');
  commitTree(template, files({ 'a.ts': 'export const a = 1;\n', 'README.md': '# a\n' }));
  git(template, 'pack-refs', '--all');
  for (const name of names) likeTemplate(template, join(folder, 'forge', `${name}.git`));
  return startForge(join(folder, 'forge'), access);
}

/** A repository with the commits of another, which lends it its objects. */
export function likeTemplate(template: string, path: string): void {
  mkdirSync(join(path, 'refs'), { recursive: true });
  symlinkSync(join(template, 'objects'), join(path, 'objects'));
  for (const name of ['HEAD', 'config', 'packed-refs']) copyFileSync(join(template, name), join(path, name));
}
