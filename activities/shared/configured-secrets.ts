import type { Config } from '../../domain/config/config.schema.ts';
import { knowSecrets } from '../../domain/shared/known-secrets.ts';

/** Keys of the configuration that name variables with something that is no secret. */
const PUBLIC = new Set(['usernameEnv', 'idEnv', 'installationIdEnv']);
/** Names of variables for other programs that say that the value is a secret. */
const SECRET_NAME = /token|secret|passw|api_?key|private_?key|credential/i;
/** Variables with secrets that are not named in the configuration. */
const VARIABLES = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'LONGHAUL_LEDGER_PASSWORD',
];
/** Variables with addresses, which may have a password. */
const ADDRESSES = ['DATABASE_URL', 'DATABASE_WRITER_URL', 'DATABASE_GATES_URL', 'DATABASE_READER_URL'];

/** Makes the values of all secrets that a process is configured with known, so that no log or failure has them. */
export function knowConfiguredSecrets(config: Config, env: NodeJS.ProcessEnv): void {
  const named = [...new Set([...variablesIn(config), ...VARIABLES])];
  knowSecrets(named.flatMap((name) => env[name] ?? []));
  const passwords = [...ADDRESSES, ...variablesIn(config)].flatMap(
    (name) => URL.parse(env[name] ?? '')?.password ?? [],
  );
  knowSecrets(passwords.map(decoded));
}

/** The variables that a configuration names for secrets: the values of all keys that end with `Env`. */
function variablesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(variablesIn);
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (!key.endsWith('Env')) return variablesIn(item);
    if (typeof item === 'string') return PUBLIC.has(key) ? [] : [item];
    return Array.isArray(item) ? item.filter((name): name is string => SECRET_NAME.test(String(name))) : [];
  });
}

/** A password of a URL, which may have a percent sign of its own. */
function decoded(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}
