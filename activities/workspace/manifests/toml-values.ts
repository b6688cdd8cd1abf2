import type { TomlPath, TomlText } from './toml-text.ts';

/** A table, as far as its values are known to be anything. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** True for a table: no array, no date. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The value at a path of keys; undefined where there is none. */
export function tomlValue(value: unknown, path: TomlPath): unknown {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found)) found = (found as unknown[])[Number(key)];
    else if (isTable(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

/** The table at a path of a file; an empty one where there is none. */
export function tomlTable(toml: Pick<TomlText, 'values'>, path: TomlPath): TomlTable {
  const found = tomlValue(toml.values, path);
  return isTable(found) ? found : {};
}

/** The text at a path of a file; null where there is none. */
export function tomlString(toml: Pick<TomlText, 'values'>, path: TomlPath): string | null {
  const found = tomlValue(toml.values, path);
  return typeof found === 'string' ? found : null;
}

/** The list at a path of a file; an empty one where there is none. */
export function tomlList(toml: Pick<TomlText, 'values'>, path: TomlPath): readonly unknown[] {
  const found = tomlValue(toml.values, path);
  return Array.isArray(found) ? found : [];
}
