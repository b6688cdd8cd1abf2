import { sha256Bytes } from '../../platform/sha256.ts';
import { CONSOLE, ICON, LIVE_SCRIPT, STYLE } from './assets.ts';
import { contentId } from './live.ts';
import { html, type Html, styleText } from './html.ts';

/** A link of the navigation. */
export interface NavigationLink {
  readonly text: string;
  readonly path: string;
}

/** A page of the console without its frame. */
export interface PageContent {
  readonly title: string;
  /** What is below the title. */
  readonly body: Html;
}

/** The frame of a page of the console. */
export interface Frame {
  readonly navigation: readonly NavigationLink[];
  /** Path of the current page in the navigation. */
  readonly current: string | null;
  /** Who sees it, and what they can do about it. */
  readonly visitor: Html;
  /** True for a page whose content is sent again when it changes. */
  readonly isLive: boolean;
}

/**
 * The policy of contents of the console: files, requests and forms of its own host only, no inline script and no inline
 * style.
 */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A page of the console: the whole document. */
export function consolePage({ title, body }: PageContent, { navigation, current, visitor, isLive }: Frame): string {
  const links = navigation.map(
    ({ text, path }) => html`<a href="${path}"${path === current && html` aria-current="page"`}>${text}</a> `,
  );
  const content = titled({ title, body });
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title} · Longhaul</title>
        <link rel="icon" href="${ICON.path}">
        <link rel="stylesheet" href="${STYLE.path}">
        ${isLive && html`<script type="module" src="${LIVE_SCRIPT.path}"></script>`}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <a class="name" href="${CONSOLE}">Longhaul</a>
          <nav aria-label="Pages">${links}</nav>
          <div>${visitor}</div>
        </header>
        <main id="content" tabindex="-1"${isLive && html` data-live="${contentId(content.toString())}"`}>
          ${content}
        </main>
        <footer>${isLive && html`<span role="status" data-live-state>As of the last load</span>`}</footer>
      </body>
    </html>
`.toString();
}

/** The content of a page with its title, as the live stream sends it. */
export function titled({ title, body }: PageContent): Html {
  return html`<h1><bdi>${title}</bdi></h1>
${body}`;
}

/** A document that stands alone in one file: no scripts, no other files, no requests. */
export function reportPage({ title, body }: PageContent): string {
  const digest = sha256Bytes(STYLE.content).toString('base64');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${digest}'">
        <title>${title}</title>
        <style>${styleText(STYLE.content)}</style>
      </head>
      <body>
        <main>${titled({ title, body })}</main>
      </body>
    </html>
`.toString();
}
