import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { z } from 'zod';
import { sha256 } from '../../platform/sha256.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** Digests by absolute path. */
const schema = z.record(z.string(), z.string());

/** The user's folder for configuration: `~/.config/longhaul`, or below `XDG_CONFIG_HOME`. */
export function userConfigFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CONFIG_HOME'];
  return base ? join(base, 'longhaul') : envPaths('longhaul', { suffix: '' }).config;
}

/** True when the user trusts a file with exactly this content at this path. */
export function isTrusted(path: string, content: string, env: NodeJS.ProcessEnv): boolean {
  return trustedFiles(env)[path] === sha256(content);
}

/** Trusts a file with exactly this content: after any change it is not trusted. */
export async function trustFile(path: string, content: string, env: NodeJS.ProcessEnv): Promise<void> {
  const trusted = { ...trustedFiles(env), [path]: sha256(content) };
  await writeWhole(listOf(env), `${JSON.stringify(trusted, null, 2)}\n`);
}

function listOf(env: NodeJS.ProcessEnv): string {
  return join(userConfigFolder(env), 'trusted-files.json');
}

/** Nothing is trusted when the list is missing or cannot be read. */
function trustedFiles(env: NodeJS.ProcessEnv): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(readFileSync(listOf(env), 'utf8')));
  } catch {
    return {};
  }
}
