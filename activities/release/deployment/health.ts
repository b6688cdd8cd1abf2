/** Asks an address; null when it answers with a status from 200 to 299, else why it is not healthy, without a full stop. */
export async function askHealth(url: string, timeoutMs: number, signal: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      // another address was not allowed
      redirect: 'manual',
      headers: { 'user-agent': 'longhaul' },
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'TimeoutError')
      return `it did not answer within ${timeoutMs / 1_000} s`;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return `it did not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
