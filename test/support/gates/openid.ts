import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import type { Visitor } from './visitor.ts';

/** A real OpenID provider on loopback, which lets anyone sign in under any subject. */
export interface OpenIdPlace {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Signs a visitor in, from the address to which the gateway sent it: returns the address to which it is sent back. */
  signIn(visitor: Visitor, at: string, subject: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts the provider for a gateway that is sent back to `callback`. */
export async function startOpenId(callback: string): Promise<OpenIdPlace> {
  let answer: (...exchange: Parameters<RequestListener>) => unknown = () => undefined;
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ['longhaul', 'a secret of the client'];
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [callback],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    cookies: { keys: ['a key of the provider'] },
    findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
  answer = provider.callback();
  return {
    issuer,
    clientId,
    clientSecret,
    async signIn(visitor, at, subject) {
      let address = at;
      for (let steps = 0; steps < 10; steps++) {
        if (address.startsWith(callback)) return address;
        const isQuestion = address.includes('/interaction/');
        const page = await visitor.send(address);
        const text = await page.text();
        const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
        const next =
          isQuestion && prompt !== undefined
            ? await visitor.send(address, { form: { prompt, login: subject, password: 'any' } })
            : page;
        const to = next.headers.get('location');
        if (to === null) throw new Error(`the provider answers ${next.status} at ${address}: ${text.slice(0, 500)}`);
        address = new URL(to, issuer).href;
      }
      throw new Error('the provider asks too many questions');
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
