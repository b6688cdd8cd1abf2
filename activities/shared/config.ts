import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { aboutField, check } from '../../domain/shared/check.schema.ts';
import { type Config, configSchema } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { isTrusted, userConfigFolder } from './trusted-files.ts';
import { nearestKey, parseYaml } from './yaml-document.ts';
import { userFolders } from './user-folders.ts';

/** The configuration, its file, and the folders that it determines. */
export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file; null when there is none and the defaults apply. */
  readonly path: string | null;
  /** The folder for state that must survive: the embedded servers' data and logs. */
  readonly dataDir: string;
  /** The folder for data that can be regenerated. */
  readonly cacheDir: string;
}

/** Larger files are refused before they are parsed. */
const MAX_BYTES = 1_000_000;

/** A configuration file that was found, not named. */
export interface FoundConfig {
  /** Absolute path. */
  readonly path: string;
  readonly content: string;
}

/** The name of a configuration file that is looked for. */
const FILE_NAME = 'longhaul.yaml';

/**
 * Reads `longhaul.yaml`: the given path, else `LONGHAUL_CONFIG`, else `longhaul.yaml` in the current folder, else in the
 * user's configuration folder, else none. `LONGHAUL_DATA_DIR` and `LONGHAUL_CACHE_DIR` win over the file. Throws
 * `ConfigurationNotTrusted` for a file in the current folder that the user does not trust: the author of the folder
 * could otherwise run programs and send tokens. Throws `InvalidConfiguration` with file, line and key; for an unknown
 * key it suggests the nearest known one.
 */
export function loadConfig(options: { path?: string | undefined; env: NodeJS.ProcessEnv }): LoadedConfig {
  const { env } = options;
  const asked = options.path ?? (env['LONGHAUL_CONFIG'] || undefined);
  if (asked !== undefined) {
    const path = resolve(asked);
    if (!existsSync(path)) throw invalid(path, 'there is no such file.');
    return folders(parse(path, read(path)), path, env);
  }
  const own = join(userConfigFolder(env), FILE_NAME);
  const found = findConfig();
  if (found !== null && found.path !== own) {
    if (isTrusted(found.path, found.content, env)) return folders(parse(found.path, found.content), found.path, env);
    throw new LonghaulError(
      'ConfigurationNotTrusted',
      `${found.path} was found in the current folder, and is new or has changed since you trusted it.`,
    );
  }
  return existsSync(own) ? folders(parse(own, read(own)), own, env) : folders(configSchema.parse({}), null, env);
}

/** The configuration file in a folder, trusted or not; null when there is none. Throws `InvalidConfiguration`. */
export function findConfig(folder = '.'): FoundConfig | null {
  const path = resolve(folder, FILE_NAME);
  return existsSync(path) ? { path, content: read(path) } : null;
}

/** Checks the content of a configuration file. Throws `InvalidConfiguration` as {@link loadConfig} does. */
export function checkConfig({ path, content }: FoundConfig): LoadedConfig {
  return folders(parse(path, content), path, {});
}

/** Replaces a leading `~` by the home folder and resolves against `base`. */
export function expandPath(path: string, base: string): string {
  const home = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  return isAbsolute(home) ? home : resolve(base, home);
}

function folders(config: Config, path: string | null, env: NodeJS.ProcessEnv): LoadedConfig {
  const base = path === null ? process.cwd() : dirname(path);
  const expanded = (folder: string | undefined): string | undefined =>
    folder === undefined ? undefined : expandPath(folder, base);
  const { data, cache } = userFolders(env, { data: expanded(config.dataDir), cache: expanded(config.cacheDir) });
  const providers = config.providers.map((provider) =>
    provider.type === 'local' ? { ...provider, root: expandPath(provider.root, base) } : provider,
  );
  const { blobs } = config;
  return {
    config: {
      ...config,
      providers,
      blobs:
        blobs.type === 'folder' && blobs.path !== undefined ? { ...blobs, path: expandPath(blobs.path, base) } : blobs,
    },
    path,
    dataDir: data,
    cacheDir: cache,
  };
}

function read(path: string): string {
  const found = statSync(path);
  if (!found.isFile()) throw invalid(path, 'this is not a file.');
  if (found.size > MAX_BYTES) throw invalid(path, `the file is larger than ${MAX_BYTES} bytes.`);
  return readFileSync(path, 'utf8');
}

function parse(path: string, content: string): Config {
  const { value, lineOf } = parseYaml(content, path);
  const result = check(configSchema, value);
  if (result.success) return result.data;
  const { issues } = result.error;
  // a misspelt key is also reported as missing: report the spelling
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const keys = issue?.path ?? [];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const line = lineOf(unknown === undefined ? keys : [...keys, unknown]);
  const at = line === null ? path : `${path}:${line}`;
  if (unknown !== undefined) {
    throw invalid(at, `unknown key "${[...keys, unknown].join('.')}"${nearest(unknown, keys)}`);
  }
  throw invalid(at, `${aboutField(keys.join('.') || 'the document', issue?.message ?? 'is wrong')}.`);
}

/** Suggests the known key of this section, or at the top of the document, that is spelt like an unknown one. */
function nearest(unknown: string, [section]: readonly PropertyKey[]): string {
  const { shape } = configSchema;
  const known = section === undefined ? Object.keys(shape) : keysIn(shape[section as keyof typeof shape]);
  return nearestKey(unknown, [...new Set(known)]);
}

/** All keys of objects in a schema, at any depth. */
function keysIn(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, field]) => [key, ...keysIn(field as z.core.$ZodType)]);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(keysIn);
  if (schema instanceof z.ZodArray) return keysIn(schema.element);
  if (schema instanceof z.ZodRecord) return keysIn(schema.valueType);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return keysIn(schema.unwrap());
  }
  return [];
}

function invalid(where: string, what: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', `${where}: ${what}`);
}
