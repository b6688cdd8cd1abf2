import type { FastifyRequest } from 'fastify';

/**
 * True for a request that a page of another site makes without leaving itself, such as for an image: browsers say so (Fetch
 * Metadata Request Headers). It gets nothing that is kept for it, of which there is a limited number.
 */
export function isForeignFetch({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate';
}
