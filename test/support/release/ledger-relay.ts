import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Statements that leave nothing behind when they are no part of a transaction. */
const READS = /^\s*(?:select|begin|start|set|show|rollback|discard)\b/i;

/** Statements that end a transaction and keep what it did. */
const COMMITS = /^\s*(?:commit|end)\b/i;

/**
 * Opens a relay to the PostgreSQL of a URL, and returns the URL of the relay. It calls `at` before the server gets a
 * statement that commits (`COMMIT`, or a change outside of a transaction), and when the server has answered it, before
 * the client knows. It stays open as long as the process.
 */
export async function openLedgerRelay(url: string, at: (boundary: string) => void): Promise<string> {
  const target = new URL(url);
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let isIdle = true;
    let isCommitting = false;
    const asked = messages({ hasStartup: true }, (type, body) => {
      const text = statementOf(type, body);
      if (text === null || !(isIdle ? !READS.test(text) : COMMITS.test(text))) return;
      isCommitting = true;
      at('a commit is asked');
    });
    const answered = messages({ hasStartup: false }, (type, body) => {
      // ready for the next statement: in no transaction, in one, or in one that failed
      if (type !== 'Z') return;
      isIdle = body[0] === 'I'.charCodeAt(0);
      if (isCommitting) at('a commit is answered');
      isCommitting = false;
    });
    client.on('data', (chunk: Buffer) => {
      asked(chunk);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      answered(chunk);
      client.write(chunk);
    });
    for (const [end, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      end.on('close', () => other.destroy());
      end.on('error', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const relay = new URL(url);
  relay.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return relay.href;
}

/** The text of a message that has a statement: a simple query, or one to parse, after the name of the statement. */
function statementOf(type: string, body: Buffer): string | null {
  if (type !== 'Q' && type !== 'P') return null;
  const start = type === 'Q' ? 0 : body.indexOf(0) + 1;
  return body.toString('utf8', start, body.indexOf(0, start));
}

/** Cuts a stream into the messages of PostgreSQL's protocol; the first one of a client has no type. */
function messages(
  { hasStartup }: { readonly hasStartup: boolean },
  onMessage: (type: string, body: Buffer) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let typeBytes = hasStartup ? 0 : 1;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= typeBytes + 4) {
      const end = typeBytes + rest.readUInt32BE(typeBytes);
      if (rest.length < end) return;
      if (typeBytes === 1) onMessage(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, end));
      rest = rest.subarray(end);
      typeBytes = 1;
    }
  };
}
