import type { Git } from '../git/git.ts';
import { checkRefName, pushPlace } from './push-ref.ts';
import type { Access } from './source.ts';

/** A tag of a remote. */
export interface FoundTag {
  readonly name: string;
  /** Oid of the tag's object; for a lightweight tag that of the commit. */
  readonly object: string;
  /** The commit that it names. */
  readonly commit: string;
}

/** The tags of a remote whose names begin with `prefix`, in the order of their names. */
export async function findTags(git: Git, access: Access, prefix: string): Promise<readonly FoundTag[]> {
  checkRefName(`${prefix}x`);
  const { options } = await pushPlace(git, access);
  const args = ['ls-remote', '--tags', 'origin', `refs/tags/${prefix}*`];
  const printed = (await access.turn(() => git.run(args, options))).toString('utf8');
  const found = new Map<string, { object: string; commit: string }>();
  for (const [, oid = '', name = '', peeled] of printed.matchAll(/^([0-9a-f]+)\trefs\/tags\/(.+?)(\^\{\})?$/gm)) {
    if (!name.startsWith(prefix)) continue;
    const known = found.get(name);
    // a tag object is followed by the commit that it names
    if (peeled === undefined) found.set(name, { object: oid, commit: oid });
    else if (known !== undefined) known.commit = oid;
  }
  return [...found].map(([name, { object, commit }]) => ({ name, object, commit }));
}
