import { Writable } from 'node:stream';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createLibrary } from '../../mcp/library.ts';
import { createMcpServer } from '../../mcp/server.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';

/** Open handles are abandoned after this long. */
const GRACE_MS = 2_000;

/**
 * `longhaul mcp`: serves the Model Context Protocol on standard input and output until the input ends or the process is
 * stopped. `currentContext` is called before every request: a change of `longhaul.yaml` applies at once.
 */
export async function serveMcp(currentContext: () => CliContext): Promise<number> {
  const library = createLibrary(currentContext);
  const transport = new StdioServerTransport(process.stdin, protocolOutput());
  // every end of the connection passes here: the end of the input, a message that is too large, a closed output
  const closed = new Promise<void>((resolve) => {
    const close = transport.close.bind(transport);
    transport.close = async () => {
      await close();
      resolve();
    };
  });
  const connection = serveStdio(() => createMcpServer(library), {
    transport,
    onerror: (error) => process.stderr.write(`longhaul mcp: ${printable(error.message)}\n`),
  });
  const stop = (): void => void connection.close();
  process.once('SIGTERM', stop).once('SIGINT', stop);
  await closed;
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  await library.close();
  return 0;
}

/** Standard output carries only the protocol: anything else that this process prints goes to standard error. */
function protocolOutput(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return new Writable({
    decodeStrings: false,
    write: (chunk: string, encoding, done) => {
      write(chunk, encoding, done);
    },
  });
}
