/** A network address to listen on or connect to. */
export interface Address {
  /** A name, or an IPv4 or IPv6 address without brackets. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Parses `host:port`, with an IPv6 address in brackets; null when invalid. */
export function parseAddress(text: string): Address | null {
  const parts = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]/@]+)):(?<port>\d{1,5})$/.exec(text)?.groups;
  const host = parts?.['six'] ?? parts?.['host'];
  const port = Number(parts?.['port']);
  return host !== undefined && port <= 65_535 ? { host, port } : null;
}

/** The inverse of {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
