/** A browser without pages: it keeps cookies by host, as RFC 6265 says for what servers set here, and follows nothing. */
export class Visitor {
  private readonly jars = new Map<string, Map<string, string>>();

  /** Sends a request with the cookies of its host. */
  async send(address: string, init: RequestInit & { readonly form?: Record<string, string> } = {}): Promise<Response> {
    const { form, ...rest } = init;
    const headers = new Headers(rest.headers);
    const cookies = this.cookiesOf(address);
    if (cookies !== '') headers.set('cookie', cookies);
    const body = form === undefined ? rest.body : new URLSearchParams(form);
    const answer = await fetch(address, {
      ...rest,
      ...(form === undefined ? {} : { method: 'POST' }),
      ...(body === undefined ? {} : { body }),
      headers,
      redirect: 'manual',
    });
    const jar = this.jarOf(address);
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /;\s*(?:max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  /** The header `Cookie` for an address. */
  cookiesOf(address: string): string {
    return [...this.jarOf(address)].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  private jarOf(address: string): Map<string, string> {
    const { host } = new URL(address);
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    return jar;
  }
}
