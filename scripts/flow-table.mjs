// Writes the table of flows into docs/flows.md, from their declarations.
import { readFileSync, writeFileSync } from 'node:fs';
import { FLOWS } from '../domain/flows.ts';
import { flowTable } from '../domain/shared/flow-table.ts';

const file = new URL('../docs/flows.md', import.meta.url);
const [before, , after] = readFileSync(file, 'utf8').split(/(?<=<!-- flows -->\n)|(?=<!-- \/flows -->)/);
writeFileSync(file, `${before}\n${flowTable(FLOWS.all)}\n\n${after}`);
