import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { openBrowser } from '../../support/browser.ts';
import { type FlowsFixture, sourceOf, test } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';

/** The picture in docs/flows.md, recorded again with RECORD_SCREENSHOTS=1. */
const PICTURE = fileURLToPath(new URL('../../../docs/images/temporal-ui.png', import.meta.url));

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);
});

afterAll(() => browser?.close());

test('a person starts, watches and answers a flow in the Temporal UI', async ({ flows }) => {
  await flows.estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
  await flows.estate.create('acme/web', { 'b.ts': sourceOf('domain/catalog/index/receipt.ts') });
  const id = 'onboard-from-the-ui';
  await start(flows, id, '{"patterns": ["acme/*"], "confirm": true}');
  await expect
    .poll(() => flows.client.workflow.getHandle(id).query<{ stage: string }>('progress'))
    .toMatchObject({ stage: 'waiting for confirmation' });

  await openRun(id);
  await page.getByText('mgit list acme/*').first().waitFor();
  await page.locator('main a', { hasText: 'User Metadata' }).click();
  const details = page.frameLocator('main iframe').locator('body');
  await details.getByText('Matched 2 repositories. Proceed with initial indexing?').waitFor();

  await page.locator('main button:visible', { hasText: 'More Actions' }).first().click();
  await page.locator('main [role=menuitem]:visible', { hasText: 'Update' }).first().click();
  await page.locator('[data-testid=update-select-button]:visible').click();
  await page.locator('[role=option]:visible', { hasText: 'confirm' }).first().click();
  await write(
    page.locator('[role=dialog] .cm-content:visible, form .cm-content:visible').last(),
    '{"proceed": true, "by": "ada"}',
  );
  await page.locator('[data-testid=confirm-modal-button]:visible').last().click();
  expect(await flows.client.workflow.getHandle(id).result()).toMatchObject({ succeeded: 2, failed: 0 });

  await openRun(id);
  await page.locator('main', { hasText: '"succeeded": 2' }).waitFor();
  for (const child of ['acme/api', 'acme/web']) await page.getByText(`syncRepository ${child}`).first().waitFor();
  if (process.env['RECORD_SCREENSHOTS']) await page.screenshot({ path: PICTURE });
});

test('a wrong input, given in the Temporal UI, fails naming the field', async ({ flows }) => {
  const id = 'wrong-from-the-ui';
  await start(flows, id, '{"patterns": ["acme/*"], "paralel": 4}');
  await expect(flows.client.workflow.getHandle(id).result()).rejects.toThrow('Workflow execution failed');
  await openRun(id);
  const main = page.locator('main');
  await main.getByText('InvalidInput').first().waitFor();
  expect(/message\W+(onboardRepositories: .*)/.exec(await main.innerText())?.[1]).toContain('paralel');
});

function pageOf(path: string): string {
  return `${inject('stack').temporalUiUrl}/namespaces/${NAMESPACE}/workflows${path}`;
}

/** Fills in the form *Start Workflow* and sends it. */
async function start({ client, started }: FlowsFixture, id: string, input: string): Promise<void> {
  await page.goto(pageOf('/start-workflow'));
  await page.getByLabel('Workflow ID').fill(id);
  await page.getByLabel('Task Queue').fill('longhaul-flows');
  await page.getByLabel('Workflow Type').fill('onboardRepositories');
  await write(page.locator('main .cm-content').first(), input);
  await page.getByRole('main').getByRole('button', { name: 'Start Workflow' }).click();
  const runId = async (): Promise<string | null> => {
    const described = await client.workflow
      .getHandle(id)
      .describe()
      .catch(() => null);
    return described?.runId ?? null;
  };
  await expect.poll(runId).not.toBeNull();
  started.push([id, (await runId()) ?? '']);
}

async function openRun(id: string): Promise<void> {
  await page.goto(pageOf(`/${id}`));
  await page.getByText('Result').first().waitFor();
}

/** Types an object into an editor and leaves it; the editor then formats it, which moves everything below. */
async function write(editor: Locator, text: string): Promise<void> {
  await editor.fill(text);
  await editor.blur();
  await editor.locator('.cm-line').nth(1).waitFor();
}
