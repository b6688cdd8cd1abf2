import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Text that would run, reorder or break a page that does not escape it. */
export const HOSTILE = `<img src=x onerror="hacked=1"><script>hacked=1</script>"'&\u202e\u0007${'x'.repeat(300)}`;

/** Rules of axe-core whose result depends on the layout. */
const LAYOUT = ['aria-required-children', 'aria-required-parent', 'empty-table-header', 'scrollable-region-focusable'];

/** Screens on which a page is looked at, and the rules that can find more there than on the first. */
const SCREENS = [
  { name: 'wide and light', colorScheme: 'light', width: 1280, rules: null },
  { name: 'wide and dark', colorScheme: 'dark', width: 1280, rules: ['color-contrast'] },
  { name: 'narrow', colorScheme: 'light', width: 360, rules: LAYOUT },
] as const;

/** A page that collects what must not happen on it. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests to other hosts, messages on the console, errors of scripts. */
  readonly complaints: string[];
}

/** Opens a page that may only ask `origin`. */
export async function watchedPage(
  browser: Browser,
  origin: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) complaints.push(`request ${request.url()}`);
  });
  page.on('console', (message) => {
    // a page that answers 404 is one that a test asks for
    if (!message.text().includes('status of 404')) complaints.push(`console ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error ${error.message}`));
  return { page, context, complaints };
}

// texts: the tests are compiled without the types of a browser
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const FOCUSED = `(() => {
  const element = document.activeElement;
  return element?.getAttribute('aria-label') ?? element?.closest('label')?.textContent ?? element?.textContent ?? '';
})()`;

/**
 * What is wrong with the page on wide and narrow screens, light and dark: wider than its screen, what axe-core finds, a
 * script that ran.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, colorScheme, width, rules } of SCREENS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const axe = new AxeBuilder({ page });
    const { violations } = await (rules === null ? axe : axe.withRules([...rules])).analyze();
    for (const { id, nodes } of violations) {
      faults.push(`${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`);
    }
    const over = await page.evaluate<number>(OVERFLOW);
    if (over > 0) faults.push(`${name}: ${over} pixels wider than the screen`);
  }
  if (await page.evaluate<boolean>("'hacked' in globalThis")) faults.push('a script of a text ran');
  return faults;
}

/** Records a picture of the documents again with RECORD_SCREENSHOTS=1. `name`: its file in docs/images. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!process.env['RECORD_SCREENSHOTS']) return;
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url)) });
}

/** Moves the focus with Tab until it is on something with this text; fails after 100. */
export async function tabTo(page: Page, text: string): Promise<void> {
  for (let n = 0; n < 100; n++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(FOCUSED);
    if (focused.trim().startsWith(text)) return;
  }
  expect.fail(`Tab does not reach ${text}`);
}
