import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import { Refusal } from '../gateway/refusal.ts';
import { type Refused, refusedBy } from '../gateway/refused.ts';
import { ASSETS, CONSOLE } from './assets.ts';
import { CONSOLE_POLICY, consolePage, type NavigationLink, type PageContent, titled } from './layout.ts';
import { createLivePages } from './live.ts';
import type { ConsolePage, PageQuestion } from './page.ts';
import { consoleParts } from './pages.ts';
import { notice } from './parts.ts';
import { SIGN_IN, serveConsoleSignIn } from './sign-in.ts';
import { type ConsoleTools, openSources } from './sources.ts';
import { createVisitors } from './visitor.ts';

/** The largest form, in bytes. */
const LARGEST_FORM = 16 * 1024;
const HTML = 'text/html; charset=utf-8';

/**
 * The console: pages for people, below `/console`. Every page is complete without scripts. A request for a live page
 * that accepts `text/event-stream` is answered with a stream of its changes.
 */
export async function serveConsole(server: FastifyInstance, tools: ConsoleTools): Promise<void> {
  const { sessions } = tools;
  const sources = openSources(tools);
  const parts = consoleParts(sources, tools.desk);
  const pages = parts.flatMap((part) => part.pages);
  const live = createLivePages();
  const visitors = createVisitors(tools);
  const navigation: NavigationLink[] = pages.flatMap(({ name, path }) =>
    name === null ? [] : [{ text: name, path: CONSOLE + path }],
  );
  server.addHook('preClose', async () => live.close());
  server.addHook('onClose', async () => {
    for (const part of parts) await part.close();
    await sources.close();
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    async (_request: FastifyRequest, body: string) => new URLSearchParams(body),
  );
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', CONSOLE_POLICY);
  });
  server.setErrorHandler(async (error, request, reply) => {
    const refused = refusedBy(error);
    logRefused(request.log, refused, error, request);
    tools.refusals.take(error, request);
    if (refused.retryAfter !== undefined) reply.header('retry-after', String(refused.retryAfter));
    return show(request, reply.code(refused.status), errorContent(refused), null);
  });
  server.setNotFoundHandler(async () => {
    throw nothing();
  });

  for (const { path, type, content } of ASSETS) {
    server.get(path.slice(CONSOLE.length), async (_request, reply) =>
      reply.headers({ 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }).send(content),
    );
  }
  await serveConsoleSignIn(server, tools, (request, reply, content) => show(request, reply, content, null));

  await server.register(async (guarded) => {
    guarded.addHook('onRequest', async (request, reply) => {
      if (visitors.admit(request, reply) !== null) return undefined;
      if (!visitors.hasPeople)
        throw new Refusal(403, 'Forbidden', 'The console is open to browsers on this machine only.');
      if (request.method !== 'GET' || accepts(request, 'text/event-stream')) {
        throw new Refusal(401, 'AuthenticationFailed', 'Sign in first.');
      }
      return reply.redirect(`${SIGN_IN}?${new URLSearchParams({ to: request.url }).toString()}`, 303);
    });
    guarded.get('/', async (_request, reply) => reply.redirect(navigation[0]?.path ?? CONSOLE));
    guarded.post('/sign-out', async (request, reply) => {
      sessions.checkForm(request, formOf(request).get('formToken') ?? undefined);
      sessions.endSession(request, reply);
      return reply.redirect(SIGN_IN, 303);
    });
    for (const page of pages) servePage(guarded, page);
  });

  function servePage(guarded: FastifyInstance, page: ConsolePage): void {
    guarded.get(page.path, async (request, reply) => {
      const question = questionOf(request);
      reply.header('vary', 'accept');
      if (page.isLive === true && accepts(request, 'text/event-stream')) {
        const stream = live.follow({
          key: `${page.path} ${JSON.stringify(question.params)} ${withoutSeen(question.query)}`,
          seen: lastEventIdOf(request) ?? question.query.get(SEEN) ?? '',
          render: async () => titled(await contentOf(page, question)).toString(),
        });
        if (stream !== null) return reply.type('text/event-stream').send(stream);
        throw new Refusal(503, 'TooManyRequests', 'Too many live pages are open.', { retryAfter: 15 });
      }
      const file = (await page.download?.(question)) ?? null;
      if (file !== null) {
        const disposition = `attachment; filename="${file.name}"`;
        return reply.type('text/plain; charset=utf-8').header('content-disposition', disposition).send(file.content);
      }
      const content = await page.render(question);
      if (content === null) throw nothing();
      return show(request, reply, content, page);
    });
    if (page.submit === undefined) return;
    guarded.post(page.path, async (request, reply) => {
      const form = formOf(request);
      sessions.checkForm(request, form.get('formToken') ?? undefined);
      const answer = await page.submit?.({ ...questionOf(request), form, log: request.log });
      if (answer === undefined) throw nothing();
      if ('to' in answer) return reply.redirect(answer.to, 303);
      return show(request, reply.code(answer.status), answer.content, page);
    });
  }

  function show(request: FastifyRequest, reply: FastifyReply, content: PageContent, page: ConsolePage | null) {
    const current = navigation.find(({ path }) => page !== null && (CONSOLE + page.path).startsWith(path));
    const frame = {
      navigation: visitors.isKnown(request) ? navigation : [],
      current: current?.path ?? null,
      visitor: visitors.shown(request),
      isLive: page?.isLive === true,
    };
    return reply.type(HTML).send(consolePage(content, frame));
  }

  function questionOf(request: FastifyRequest): PageQuestion {
    const at = request.url.indexOf('?');
    return {
      params: request.params as Readonly<Record<string, string>>,
      query: new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1)),
      person: visitors.personOf(request),
      formToken: () => sessions.formToken(request),
    };
  }
}

function logRefused(
  log: FastifyBaseLogger,
  { status, type, message }: Refused,
  error: unknown,
  { ip, routeOptions }: FastifyRequest,
): void {
  const said = { status, type, remote: ip, path: routeOptions.url ?? null };
  if (status >= 500) logProcess(log, 'request_failed', { ...said, err: error }, 'request failed');
  else logProcess(log, 'request_refused', said, message);
}

function nothing(): Refusal {
  return new Refusal(404, 'NotFound', 'There is nothing at this path.');
}

/** The content of a page; that of an error when it cannot be read, so that a stream goes on. */
async function contentOf(page: ConsolePage, question: PageQuestion): Promise<PageContent> {
  try {
    return (await page.render(question)) ?? errorContent(refusedBy(nothing()));
  } catch (error) {
    return errorContent(refusedBy(error));
  }
}

function errorContent({ status, type, message, remedy }: Refused): PageContent {
  return { title: type, body: notice(status === 404 ? 'quiet' : 'bad', message, remedy) };
}

function formOf({ body }: FastifyRequest): URLSearchParams {
  return body instanceof URLSearchParams ? body : new URLSearchParams();
}

/** The query of a stream has the identity of the content that the browser loaded. */
const SEEN = 'seen';

function withoutSeen(query: URLSearchParams): string {
  return [...query].map((pair) => (pair[0] === SEEN ? '' : JSON.stringify(pair))).join(' ');
}

/** A browser that connects again says what it received last. */
function lastEventIdOf({ headers: { 'last-event-id': id } }: FastifyRequest): string | null {
  return typeof id === 'string' && id !== '' ? id : null;
}

function accepts({ headers: { accept = '' } }: FastifyRequest, type: string): boolean {
  return accept.split(',').some((one) => one.trim().startsWith(type));
}
