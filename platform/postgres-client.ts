import type { Client } from 'pg';

/** Milliseconds until a server must have answered. */
const CONNECT_MS = 10_000;

/**
 * Connects to the PostgreSQL of a URL (`postgres://user:password@host:port/database`), calls `use`, and closes the
 * connection. Times are in UTC; `settings` are further ones of the session (`search_path`). Rejects with the error of the
 * server or of the system.
 */
export async function withPostgres<Result>(
  url: string,
  use: (client: Client) => Promise<Result>,
  settings: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const { Client: PostgresClient } = await import('pg');
  const client = new PostgresClient(postgresOptions(url, settings));
  // a lost connection also rejects the query that waits for it
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The options of every connection. `settings` are those of the session, in addition to UTC: words without spaces. */
export function postgresOptions(
  url: string,
  settings: Readonly<Record<string, string>> = {},
): {
  readonly connectionString: string;
  readonly connectionTimeoutMillis: number;
  readonly application_name: string;
  readonly options: string;
} {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'longhaul',
    options: Object.entries({ timezone: 'UTC', ...settings })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  };
}
