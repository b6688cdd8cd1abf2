import { readFileSync } from 'node:fs';
import { sha256 } from '../../platform/sha256.ts';

/** A file that pages refer to. */
export interface Asset {
  readonly content: string;
  readonly type: string;
  /** Its address, which changes with its content. */
  readonly path: string;
}

/** Path of the console. */
export const CONSOLE = '/console';

function asset(name: string, type: string): Asset {
  const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8');
  return { content, type, path: `${CONSOLE}/assets/${sha256(content).slice(0, 12)}/${name}` };
}

/** The style sheet of all pages. */
export const STYLE = asset('console.css', 'text/css; charset=utf-8');
/** The script that keeps a page up to date. */
export const LIVE_SCRIPT = asset('live.js', 'text/javascript; charset=utf-8');
/** The icon in the browser's tab. */
export const ICON = asset('icon.svg', 'image/svg+xml');

/** All files that the console serves. */
export const ASSETS: readonly Asset[] = [STYLE, LIVE_SCRIPT, ICON];
