/** Where a process listens, or is asked to. */
export interface Address {
  /** A name, or an IPv4 or IPv6 address without brackets. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** An address that was written as `host:port`, an IPv6 address in brackets; null when it is none. */
export function parseAddress(text: string): Address | null {
  const parts = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]/@]+)):(?<port>\d{1,5})$/.exec(text)?.groups;
  const host = parts?.['six'] ?? parts?.['host'];
  const port = Number(parts?.['port']);
  return host !== undefined && port <= 65_535 ? { host, port } : null;
}

/** What {@link parseAddress} reads. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
