import { hasCode } from '../../../platform/error-code.ts';

/** Why a file cannot be opened, as a clause for people; null for an error that says nothing about the file. */
export function whyNotOpen(error: unknown, file: string): string | null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return `there is no file ${file}`;
  if (hasCode(error, 'EISDIR')) return `${file} is a folder`;
  if (hasCode(error, 'EACCES', 'EPERM')) return `this user may not read ${file}`;
  return null;
}
