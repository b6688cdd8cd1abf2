import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { BIN } from './command.ts';

/** The answer of a tool. */
export interface Said {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: unknown;
}

/** A running `longhaul mcp` with the official client. */
export interface McpProcess {
  readonly client: Client;
  /** Calls a tool. */
  call(tool: string, input: Record<string, unknown>, signal?: AbortSignal): Promise<Said>;
  /** Calls a tool that must not fail. Returns its structured answer. */
  ask<Answer>(tool: string, input: Record<string, unknown>): Promise<Answer>;
  /** Its standard error. */
  log(): string;
  close(): Promise<void>;
}

/**
 * Starts `longhaul mcp` in an environment, as a client does. `mode`: how the client negotiates the protocol version.
 */
export async function startMcp(env: Record<string, string>, mode: 'legacy' | 'auto' = 'legacy'): Promise<McpProcess> {
  const transport = new StdioClientTransport({ command: process.execPath, args: [BIN, 'mcp'], env, stderr: 'pipe' });
  let log = '';
  transport.stderr?.on('data', (data: Buffer) => (log += data.toString()));
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const problems: Error[] = [];
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a client is no EventTarget
  client.onerror = (error) => problems.push(error);
  await client.connect(transport);

  async function call(name: string, input: Record<string, unknown>, signal?: AbortSignal): Promise<Said> {
    const result = await client.callTool({ name, arguments: input }, signal ? { signal } : {});
    const text = result.content.map((block) => (block.type === 'text' ? block.text : block.type)).join('\n');
    return { isError: result.isError === true, text, structured: result.structuredContent };
  }

  return {
    client,
    call,
    async ask<Answer>(tool: string, input: Record<string, unknown>) {
      const { isError, text, structured } = await call(tool, input);
      if (isError) throw new Error(`${tool}: ${text}`);
      return structured as Answer;
    },
    log: () => log,
    async close() {
      await client.close();
      if (problems.length > 0) throw new AggregateError(problems, 'the client did not understand the server');
    },
  };
}
