import type { FastifyInstance, FastifyRequest } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import { refusedBy, type Refused } from '../gateway/refused.ts';
import { Refusal } from '../gateway/refusal.ts';
import { ASSETS, CONSOLE } from './assets.ts';
import { html } from './html.ts';
import { CONSOLE_POLICY, consolePage, type NavigationLink, type PageContent, titled } from './layout.ts';
import { createLivePages } from './live.ts';
import type { ConsolePage, PageQuestion } from './page.ts';
import { consoleParts } from './pages.ts';
import { notice } from './parts.ts';
import { type ConsoleTools, openSources } from './sources.ts';
import { isLocal } from './visitor.ts';

/**
 * The console: pages for people, below `/console`. Every page is complete without scripts. A request for a live page
 * that accepts `text/event-stream` is answered with a stream of its changes.
 */
export async function serveConsole(server: FastifyInstance, tools: ConsoleTools): Promise<void> {
  const sources = openSources(tools);
  const parts = consoleParts(sources);
  const pages = parts.flatMap((part) => part.pages);
  const live = createLivePages();
  const navigation: NavigationLink[] = pages.flatMap(({ name, path }) =>
    name === null ? [] : [{ text: name, path: CONSOLE + path }],
  );
  server.addHook('preClose', async () => live.close());
  server.addHook('onClose', async () => {
    for (const part of parts) await part.close();
    await sources.close();
  });

  for (const { path, type, content } of ASSETS) {
    server.get(path.slice(CONSOLE.length), async (_request, reply) =>
      reply.headers({ 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }).send(content),
    );
  }

  await server.register(async (guarded) => {
    guarded.addHook('onRequest', async (request, reply) => {
      reply.header('content-security-policy', CONSOLE_POLICY);
      if (!isLocal(request)) throw new Refusal(403, 'Forbidden', REMOTE);
    });
    guarded.setErrorHandler(async (error, request, reply) => {
      const refused = refusedBy(error);
      const said = {
        status: refused.status,
        type: refused.type,
        remote: request.ip,
        path: request.routeOptions.url ?? null,
      };
      if (refused.status >= 500) logProcess(request.log, 'request_failed', { ...said, err: error }, 'request failed');
      else logProcess(request.log, 'request_refused', said, refused.message);
      if (refused.retryAfter !== undefined) reply.header('retry-after', String(refused.retryAfter));
      return reply
        .code(refused.status)
        .type(HTML)
        .send(framed(errorContent(refused), null));
    });
    guarded.setNotFoundHandler(async () => {
      throw nothing();
    });
    guarded.get('/', async (_request, reply) => reply.redirect(navigation[0]?.path ?? CONSOLE));
    for (const page of pages) {
      guarded.get(page.path, async (request, reply) => {
        const asked = askedOf(request);
        reply.header('vary', 'accept');
        if (page.isLive === true && accepts(request, 'text/event-stream')) {
          const stream = live.follow({
            key: `${page.path} ${JSON.stringify(asked.params)} ${withoutSeen(asked.query)}`,
            seen: lastEventIdOf(request) ?? asked.query.get(SEEN) ?? '',
            render: async () => titled(await contentOf(page, asked)).toString(),
          });
          if (stream === null)
            throw new Refusal(503, 'TooManyRequests', 'Too many live pages are open.', { retryAfter: 15 });
          return reply.type('text/event-stream').send(stream);
        }
        const file = (await page.download?.(asked)) ?? null;
        if (file !== null) {
          const disposition = `attachment; filename="${file.name}"`;
          return reply.type('text/plain; charset=utf-8').header('content-disposition', disposition).send(file.content);
        }
        const content = await page.render(asked);
        if (content === null) throw nothing();
        return reply.type(HTML).send(framed(content, page));
      });
    }
  });

  function framed(content: PageContent, page: ConsolePage | null): string {
    return consolePage(content, {
      navigation,
      current: navigation.find(({ path }) => page !== null && (CONSOLE + page.path).startsWith(path))?.path ?? null,
      visitor: html`<span class="muted">unauthenticated</span>`,
      isLive: page?.isLive === true,
    });
  }
}

const HTML = 'text/html; charset=utf-8';

const REMOTE = 'The console is open to browsers on this machine only.';

function nothing(): Refusal {
  return new Refusal(404, 'NotFound', 'There is nothing at this path.');
}

/** The content of a page; that of an error when it cannot be read, so that a stream goes on. */
async function contentOf(page: ConsolePage, asked: PageQuestion): Promise<PageContent> {
  try {
    return (await page.render(asked)) ?? errorContent(refusedBy(nothing()));
  } catch (error) {
    return errorContent(refusedBy(error));
  }
}

function errorContent({ status, type, message, remedy }: Refused): PageContent {
  return { title: type, body: notice(status === 404 ? 'quiet' : 'bad', message, remedy) };
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

function askedOf(request: FastifyRequest): PageQuestion {
  const url = request.raw.url ?? '';
  const at = url.indexOf('?');
  return {
    params: request.params as Readonly<Record<string, string>>,
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
  };
}
