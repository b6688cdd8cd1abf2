import type { FileLink, LinkKind, LinkMember } from './file-link.ts';

/** How a comment to the end of the line begins. */
export const LINE_COMMENT: Readonly<Record<Exclude<LinkKind, 'npm'>, string>> = {
  go: '//',
  cargo: '#',
  pnpm: '#',
  python: '#',
};

/** The least version of Go that knows workspaces. */
const LEAST_GO = '1.18';

/** The lines with which a tool takes packages from their folders. */
export function linkLinesOf(kind: Exclude<LinkKind, 'npm'>, links: readonly FileLink[]): readonly string[] {
  const all = distinct(links.flatMap(({ by, takes }) => [...by, ...takes]));
  const taken = distinct(links.flatMap(({ takes }) => takes));
  switch (kind) {
    case 'go':
      return [
        `go ${latestGo(all)}`,
        'use (',
        ...memberFoldersOf(all).map((folder) => `\t${quoted(folder === '.' ? '.' : `./${folder}`)}`),
        ')',
      ];
    case 'cargo':
      // paths are relative to the folder around `.cargo`
      return ['[patch.crates-io]', ...taken.map(({ name, path }) => `${quoted(name)} = { path = ${quoted(path)} }`)];
    case 'pnpm':
      return [
        'packages:',
        ...memberFoldersOf(all).map((folder) => `  - ${quoted(folder)}`),
        // otherwise only `workspace:` requirements are taken from folders
        'linkWorkspacePackages: true',
      ];
    case 'python':
      return [
        '[tool.uv.workspace]',
        `members = [${memberFoldersOf(all).map(quoted).join(', ')}]`,
        '[tool.uv.sources]',
        ...taken.map(({ name }) => `${quoted(name)} = { workspace = true }`),
      ];
  }
}

/** The folders of packages, each once, in order. */
export function memberFoldersOf(members: readonly LinkMember[]): readonly string[] {
  return [...new Set(members.map(({ path }) => path))].sort();
}

/** Each package once, by name. */
function distinct(members: readonly LinkMember[]): readonly LinkMember[] {
  const byName = new Map(members.map((member) => [member.name, member]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Strings of JSON are also strings of TOML, of YAML, and of go.work. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A go.work must ask for no less than its modules. */
function latestGo(members: readonly LinkMember[]): string {
  return members
    .map(({ go = LEAST_GO }) => go)
    .reduce((latest, each) => (isLaterGo(each, latest) ? each : latest), LEAST_GO);
}

/** By number: `1.24rc1` is before `1.24.0`, and `1.24` before both. */
function isLaterGo(a: string, b: string): boolean {
  const [left, right] = [goParts(a), goParts(b)];
  const at = left.findIndex((part, place) => part !== right[place]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
}

function goParts(version: string): readonly number[] {
  const [, major, minor, patch, kind, candidate] = /^(\d+)\.(\d+)(?:\.(\d+)|(beta|rc)(\d+))?/.exec(version) ?? [];
  const stage = kind === 'beta' ? 1 : kind === 'rc' ? 2 : patch === undefined ? 0 : 3;
  return [major, minor, stage, patch ?? candidate].map((part) => Number(part ?? 0));
}
