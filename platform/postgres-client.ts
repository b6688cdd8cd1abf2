import type { Client } from 'pg';

/** Milliseconds until a server must have answered. */
const CONNECT_MS = 10_000;

/**
 * Connects to the PostgreSQL of a URL (`postgres://user:password@host:port/database`), calls `use`, and closes the
 * connection. Times are in UTC. Rejects with the error of the server or of the system.
 */
export async function withPostgres<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const { Client: PostgresClient } = await import('pg');
  const client = new PostgresClient(postgresOptions(url));
  // a lost connection also rejects the query that waits for it
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The options of every connection. */
export function postgresOptions(url: string): {
  readonly connectionString: string;
  readonly connectionTimeoutMillis: number;
  readonly application_name: string;
  readonly options: string;
} {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'longhaul',
    options: '-c timezone=UTC',
  };
}
