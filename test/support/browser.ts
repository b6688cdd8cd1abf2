import { type Browser, chromium } from 'playwright-core';
import { findOnPath } from '../../platform/program.ts';

/** Starts the Chromium that `CHROMIUM_PATH` names or that is installed; throws when there is none. */
export async function openBrowser(): Promise<Browser> {
  let executablePath = process.env['CHROMIUM_PATH'] ?? null;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'chrome']) {
    executablePath ??= await findOnPath(name, process.env);
  }
  if (executablePath === null) {
    throw new Error(
      'There is no browser: install chromium (`apt-get install chromium`), or name one with CHROMIUM_PATH.',
    );
  }
  return chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
}
