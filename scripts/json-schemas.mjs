// Writes the JSON Schemas of the contract files into docs/schemas, for editors.
import { mkdirSync, writeFileSync } from 'node:fs';
import { JSON_SCHEMAS } from '../domain/release/contracts/json-schemas.schema.ts';

const folder = new URL('../docs/schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(JSON_SCHEMAS)) {
  writeFileSync(new URL(`${name}.schema.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
