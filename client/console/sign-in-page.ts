import { CONSOLE } from './assets.ts';
import { html } from './html.ts';
import type { PageContent } from './layout.ts';
import { link, notice, pathWith } from './parts.ts';

/** Path of the page on which people sign in. */
export const SIGN_IN = `${CONSOLE}/sign-in`;

/** The page on which people sign in: with their API key, or at the OpenID provider. `to`: where they go afterwards. */
export function signInContent(
  to: string,
  { hasProvider, refused }: { readonly hasProvider: boolean; readonly refused: string | null },
): PageContent {
  const body = html`${refused !== null && notice('bad', refused)}
    ${hasProvider && html`<p>${link(pathWith('/sign-in', { to }), 'Sign in with your OpenID provider')}</p>`}
    <form method="post" action="${SIGN_IN}">
      <input type="hidden" name="to" value="${to}">
      <label class="field"><span>API key of a person (longhaul person key)</span>
        <input type="password" name="key" required autocomplete="current-password" maxlength="200"></label>
      <button>Sign in</button>
    </form>`;
  return { title: 'Sign in', body };
}
