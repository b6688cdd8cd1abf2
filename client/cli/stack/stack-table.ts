import Table from 'cli-table3';
import type { StackState } from '../../../stack/state.ts';
import type { CliContext } from '../../core/context.ts';
import { styleFor } from '../../core/style.ts';

/** A table without borders, for a terminal and for a pipe. */
export function plainTable(rows: readonly (readonly string[])[]): string {
  const none = Object.fromEntries(
    ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
      [side, ''],
      [`${side}-mid`, ''],
      [`${side}-left`, ''],
      [`${side}-right`, ''],
    ]),
  );
  const table = new Table({
    chars: { ...none, middle: '  ', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The running programs and their addresses. */
export function stackTable(state: StackState, context: CliContext): string {
  const style = styleFor(context.stdout, context.env);
  const { temporal, weaviate, postgres } = state;
  const worker = state.children.find((child) => child.name === 'worker');
  const rows: string[][] = [];
  if (temporal !== null) {
    rows.push([
      'Temporal',
      temporal.address,
      `${temporal.version}, ${temporal.source}, namespace ${temporal.namespace}`,
    ]);
    if (temporal.uiUrl !== null) rows.push(['Temporal UI', temporal.uiUrl, '']);
  }
  if (weaviate !== null) {
    rows.push(['Weaviate', weaviate.url, `${weaviate.version}, ${weaviate.source}, gRPC ${weaviate.grpc}`]);
  }
  if (postgres !== null) {
    const { address, database, version, source } = postgres;
    rows.push(['PostgreSQL', address, `${version}, ${source}, database ${database}`]);
  }
  if (state.modelFolder !== null) rows.push(['Model', state.modelFolder, '']);
  if (worker !== undefined) rows.push(['Worker', `process ${worker.pid}`, '']);
  rows.push(['Data', context.dataDir, 'logs in logs/']);
  return plainTable(rows.map(([name = '', ...rest]) => [style('bold', name), ...rest]));
}
