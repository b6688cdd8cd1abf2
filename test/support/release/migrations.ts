import { SHOWN_PACKAGES } from './shown-packages.ts';

/** A program that runs a statement in the database that `SHOP_DATABASE` names, for a hook. */
const MIGRATE = `import { createRequire } from 'node:module';
const { Client } = createRequire('${SHOWN_PACKAGES}/')('pg');
const client = new Client({ connectionString: process.env.SHOP_DATABASE });
await client.connect();
await client.query(process.argv[2]);
await client.end();
console.log('migrated');
`;

/** The section `pipelines` of a worker whose variable `SHOP_DATABASE` is the database. */
export const MIGRATING = {
  toolchains: [SHOWN_PACKAGES],
  network: true,
  secrets: { SHOP_DATABASE: { valueEnv: 'SHOP_DATABASE', repositories: ['local/acme/api'] } },
};

/** The files of a repository with {@link migrationHook}. */
export const MIGRATION_FILES = { 'migrate.mjs': MIGRATE };

/** A hook in the form of YAML that runs a statement, and takes it back with another one. */
export function migrationHook([up, down]: readonly [string, string]): string {
  const run = (statement: string): string => JSON.stringify(['node', 'migrate.mjs', statement]);
  return `{name: migrate, run: ${run(up)}, down: {run: ${run(down)}}, secrets: [SHOP_DATABASE]}`;
}
