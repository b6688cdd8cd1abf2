import { compare, prerelease, valid } from 'semver';
import type { RetiredVersion } from '../../../domain/workspace/registry-package.ts';
import { bounded, type RegistrySource } from './registry-source.ts';

/** The module proxy protocol: the list of versions, and the go.mod of the latest one, which has what is taken back. */
export const GO_PROXY: RegistrySource = {
  isName: (name) =>
    name.length <= 300 &&
    /^[A-Za-z0-9.~_-]+(?:\/[A-Za-z0-9.~_-]+)*$/.test(name) &&
    !name.split('/').some((part) => /^\.+$/.test(part)),
  async read(client, base, name) {
    const path = name.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
    const versions = await client.get(`${base}/${path}/@v/list`, 'text/plain', (text) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => valid(line) !== null)
        .sort(compare),
    );
    if (versions === null) return null;
    const stable = versions.filter((version) => prerelease(version) === null);
    const newest = stable.at(-1) ?? versions.at(-1) ?? null;
    if (newest === null) return { name, latest: null, versions, deprecated: null, retired: [] };
    const mod = await client.get(`${base}/${path}/@v/${newest}.mod`, 'text/plain', takenBackIn);
    const { deprecated, ranges } = mod ?? { deprecated: null, ranges: [] };
    const retired = versions.flatMap((version): RetiredVersion[] => {
      const range = ranges.find(({ low, high }) => compare(version, low) >= 0 && compare(version, high) <= 0);
      return range === undefined ? [] : [{ version, why: range.why }];
    });
    const gone = new Set(retired.map(({ version }) => version));
    return bounded({
      name,
      latest: stable.findLast((version) => !gone.has(version)) ?? newest,
      versions,
      deprecated,
      retired,
    });
  },
};

/** What a go.mod takes back: `// Deprecated:` before its module line, and `retract`. */
function takenBackIn(text: string): {
  readonly deprecated: string | null;
  readonly ranges: readonly { readonly low: string; readonly high: string; readonly why: string }[];
} {
  const ranges: { low: string; high: string; why: string }[] = [];
  let deprecated: string | null = null;
  let comments: string[] = [];
  let isInBlock = false;
  for (const full of text.split('\n')) {
    const [, code = '', comment] = /^((?:(?!\/\/).)*)(?:\/\/\s?(.*))?$/.exec(full.trimEnd()) ?? [];
    const line = code.trim();
    if (line === '' && comment !== undefined) {
      comments.push(comment);
      continue;
    }
    if (/^module\s/.test(line)) {
      const said = [...comments, comment ?? ''].join(' ');
      deprecated = /(?:^|\s)Deprecated:\s*(.+)$/.exec(said)?.[1]?.trim() ?? null;
    }
    const [, rest] = /^retract\s*(\(|.+)$/.exec(line) ?? [];
    if (rest === '(') isInBlock = true;
    else if (line === ')') isInBlock = false;
    else if (rest !== undefined || isInBlock) {
      const [low, high = low] = (rest ?? line).match(/v[^\s,[\]"`]+/g) ?? [];
      const why = [...comments, comment ?? ''].join(' ').trim();
      if (low !== undefined && high !== undefined && valid(low) !== null && valid(high) !== null) {
        ranges.push({ low, high, why });
      }
    }
    comments = [];
  }
  return { deprecated, ranges };
}
