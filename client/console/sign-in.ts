import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import { Refusal } from '../gateway/refusal.ts';
import { isSame } from '../gateway/signature.ts';
import { CONSOLE } from './assets.ts';
import { html } from './html.ts';
import type { PageContent } from './layout.ts';
import { link, notice, pathWith } from './parts.ts';
import type { ConsoleTools } from './sources.ts';

/** Path of the page on which people sign in. */
export const SIGN_IN = `${CONSOLE}/sign-in`;

/** The page on which people sign in: with their API key, or at the OpenID provider. */
export async function serveConsoleSignIn(
  server: FastifyInstance,
  { context: { config }, sessions, refusals }: Pick<ConsoleTools, 'context' | 'sessions' | 'refusals'>,
  show: (request: FastifyRequest, reply: FastifyReply, content: PageContent) => FastifyReply,
): Promise<void> {
  const hasProvider = config.gateway.oidc !== undefined;

  const cookie = `${sessions.cookie}-form`;
  // a site that this browser only visits sends no such cookie
  const cookieOptions = { ...sessions.cookieOptions, sameSite: 'strict' } as const;

  /** The token of the browser's forms: in a cookie and in the form, so that another site can send none. */
  function tokenOf(request: FastifyRequest, reply: FastifyReply): string {
    const token = request.cookies[cookie] ?? randomBytes(24).toString('base64url');
    reply.setCookie(cookie, token, cookieOptions);
    return token;
  }

  server.get('/sign-in', async (request, reply) => {
    if (config.people.length === 0) return reply.redirect(CONSOLE);
    const { to } = request.query as Readonly<Record<string, unknown>>;
    const formToken = tokenOf(request, reply);
    return show(request, reply, signInContent(ownPath(to), { formToken, hasProvider, isRefused: false }));
  });

  server.post('/sign-in', async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    // another site must not choose who a browser is signed in as
    const formToken = request.cookies[cookie] ?? '';
    const isForeign = !['same-origin', undefined].includes(request.headers['sec-fetch-site']);
    if (isForeign || formToken === '' || !isSame(formToken, form.get('formToken') ?? '')) {
      throw new Refusal(403, 'Forbidden', 'Sign in on the page of this gateway: load it again.');
    }
    const to = ownPath(form.get('to'));
    const person = sessions.personOfKey((form.get('key') ?? '').trim());
    if (person === null) {
      logProcess(request.log, 'request_refused', { status: 401, remote: request.ip }, 'wrong API key of a person');
      refusals.count({ type: 'AuthenticationFailed', route: `POST ${SIGN_IN}`, remote: request.ip, actor: null });
      return show(request, reply.code(401), signInContent(to, { formToken, hasProvider, isRefused: true }));
    }
    sessions.startSession(request, reply, person);
    logProcess(request.log, 'person_signed_in', { person: person.name, authenticated_by: 'api-key' }, 'signed in');
    return reply.redirect(to, 303);
  });
}

function signInContent(
  to: string,
  {
    formToken,
    hasProvider,
    isRefused,
  }: { readonly formToken: string; readonly hasProvider: boolean; readonly isRefused: boolean },
): PageContent {
  const body = html`${isRefused && notice('bad', 'This is not the API key of a person in longhaul.yaml.')}
    ${hasProvider && html`<p>${link(pathWith('/sign-in', { to }), 'Sign in with your OpenID provider')}</p>`}
    <form method="post" action="${SIGN_IN}">
      <input type="hidden" name="to" value="${to}">
      <input type="hidden" name="formToken" value="${formToken}">
      <input type="text" name="username" value="longhaul" autocomplete="username" hidden>
      <label class="field"><span>API key of a person</span>
        <input type="password" name="key" required autocomplete="current-password" maxlength="200"></label>
      <button>Sign in</button>
    </form>`;
  return { title: 'Sign in', body };
}

/** A path of the console; the console for anything else, such as an address of another site. */
function ownPath(to: unknown): string {
  return typeof to === 'string' && /^\/console(?:[/?][\x21-\x7e]*)?$/.test(to) ? to : CONSOLE;
}
