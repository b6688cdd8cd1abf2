import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { PrivateAuthority } from '../private-authority.ts';

/** A request, as a server of the API gets it from kubectl. */
export interface ReceivedQuestion {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** What a {@link startApiServer} answers. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Starts a server in the place of a kube-apiserver, which answers as the test says. */
export async function startApiServer(
  { file, key, cert }: PrivateAuthority,
  answer: (question: ReceivedQuestion) => ScriptedAnswer | Promise<ScriptedAnswer>,
) {
  const questions: ReceivedQuestion[] = [];
  const server = createServer({ key, cert }, (request: IncomingMessage, response) => {
    (async () => {
      const { method = '', url: path = '', headers } = request;
      const body = await text(request);
      const { authorization, 'content-type': contentType } = headers;
      const question = { method, path, authorization, contentType, body };
      // kubectl of some distributions looks for the version of the server when it starts
      if (!path.startsWith('/version?timeout=')) questions.push(question);
      const { status = 200, headers: own = {}, body: said } = await answer(question);
      response.writeHead(status, { 'content-type': 'application/json', ...own }).end(JSON.stringify(said));
    })().catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    questions,
    /** Writes a kubeconfig with the context `staging`, whose account has a token. */
    writeKubeconfig: (path: string, token: string): Promise<void> =>
      writeFile(
        path,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [
            { name: 'staging', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': file } },
          ],
          users: [{ name: 'staging', user: { token } }],
          contexts: [{ name: 'staging', context: { cluster: 'staging', user: 'staging' } }],
        }),
      ),
    close(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}
