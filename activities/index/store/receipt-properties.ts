import type { Pending, Receipt } from '../../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import type { ReceiptProperties } from './schema.ts';

/** A receipt as the properties of its object in Weaviate, which has no null: empty strings stand for it. */
export function propertiesOf(receipt: Receipt): ReceiptProperties {
  const { branch, timestamp, pending, uid, branches = [], ...rest } = receipt;
  return {
    ...rest,
    // a build of an older version may lack the property
    ...(branches.length === 0 ? {} : { branches: [...branches] }),
    uid: uid ?? '',
    branch: branch ?? '',
    timestamp: timestamp ?? '',
    pending: pending === null ? '' : JSON.stringify(pending),
  };
}

/** The receipt in the properties of its object, as this or an earlier version wrote them. */
export function receiptOf(properties: ReceiptProperties): Receipt {
  const { branch, timestamp, pending: _pending, uid, branches, ...rest } = properties;
  return {
    ...rest,
    // Weaviate returns an empty list as a missing property
    ...(branches !== undefined && branches.length > 0 ? { branches } : {}),
    // receipts of earlier versions have none
    ...(uid ? { uid } : {}),
    ref: rest.ref || DEFAULT_REF,
    branch: branch === '' ? null : branch,
    timestamp: timestamp === '' ? null : timestamp,
    ...markOf(properties),
  };
}

/** The target of a run. An unreadable mark is read as that of an unfinished run to the receipt's own commit. */
function markOf({
  pending,
  commit,
  tree,
  branch,
  timestamp,
}: ReceiptProperties): Partial<Pick<Receipt, 'commit'>> & Pick<Receipt, 'pending'> {
  if (pending === '') return { pending: null };
  try {
    return { pending: JSON.parse(pending) as Pending };
  } catch {
    return { commit: '', pending: { commit, tree, branch: branch || null, timestamp: timestamp || null } };
  }
}
