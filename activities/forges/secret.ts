import { LonghaulError } from '../../domain/shared/failures.ts';

/** The value of a provider's environment variable. Throws `AuthenticationFailed` when it is not set. */
export function readVariable(env: NodeJS.ProcessEnv, variable: string, provider: string): string {
  const value = env[variable]?.trim();
  if (value) return value;
  throw new LonghaulError(
    'AuthenticationFailed',
    `The environment variable ${variable} of provider ${provider} is not set.`,
  );
}

/**
 * The secret in a provider's environment variable; null when no variable is configured. Throws `AuthenticationFailed`
 * when the variable is not set or its value cannot be in a header.
 */
export function readProviderSecret(
  env: NodeJS.ProcessEnv,
  variable: string | undefined,
  provider: string,
): string | null {
  if (variable === undefined) return null;
  const value = readVariable(env, variable, provider);
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new LonghaulError(
    'AuthenticationFailed',
    `The environment variable ${variable} of provider ${provider} contains spaces or other characters that no token has.`,
  );
}

/** The value of an `Authorization` header for a user and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
