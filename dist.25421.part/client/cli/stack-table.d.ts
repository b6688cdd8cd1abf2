import picocolors from 'picocolors';
import type { StackState } from '../../stack/state.ts';
import type { CliContext } from './context.ts';
/** The colours for a stream: none where it is no terminal or NO_COLOR is set. */
export declare function coloursFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): ReturnType<typeof picocolors.createColors>;
/** A table without lines around it: fit for a terminal and for a pipe. */
export declare function plainTable(rows: readonly (readonly string[])[]): string;
/** What runs, and where it is reached. */
export declare function stackTable(state: StackState, context: CliContext): string;
