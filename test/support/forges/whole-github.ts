import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Forge, startForge } from '../forge.ts';
import { startDescribedPlace } from './described-place.ts';
import type { WritePlace } from './write-place.ts';

/** A GitHub on loopback for whole installations: what reads with one token, and git; and what writes with another one. */
export interface WholeGithub {
  readonly url: string;
  /** Its repositories. */
  readonly forge: Forge;
  /** What is written to `acme/api` with the API. */
  readonly place: WritePlace;
  close(): Promise<void>;
}

/** Starts a {@link WholeGithub} over a folder of repositories. */
export async function startWholeGithub(
  root: string,
  tokens: { readonly token: string; readonly writeToken: string },
): Promise<WholeGithub> {
  const forge = await startForge(root, tokens);
  const place = await startDescribedPlace('github');
  const server = createServer((request, response) => {
    forward(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    const isWriter = path.startsWith('/api/') && headers.authorization?.endsWith(` ${tokens.writeToken}`) === true;
    const target = isWriter ? place.proxy.url : forge.url;
    const authorization = isWriter ? { authorization: `token ${place.token('writer')}` } : {};
    const own = { ...headers, ...authorization, host: new URL(target).host };
    const sent = send(new URL(path, target), { method, headers: own });
    request.pipe(sent);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const given = { ...answer.headers };
    delete given['content-length'];
    delete given['transfer-encoding'];
    const isText = /json/.test(String(given['content-type']));
    const body = Buffer.concat(chunks);
    response
      .writeHead(answer.statusCode ?? 502, given)
      .end(isText ? body.toString('utf8').replaceAll(target, url) : body);
  }

  return {
    url,
    forge,
    place,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await forge.close();
    },
  };
}
