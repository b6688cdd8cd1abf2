-- What is published after a promotion: a row for each file of the release, and for each channel that it is announced to.

CREATE TABLE publications (
  generation_id text NOT NULL REFERENCES generations,
  kind text NOT NULL CHECK (kind IN ('asset', 'announcement')),
  -- of the file, or of the channel
  name text NOT NULL,
  -- of an asset: its content in the blob store, and bytes
  digest text,
  size bigint CHECK (size >= 0),
  -- kept: the provider has no releases, so the asset is in the blob store alone
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'published', 'kept')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- why the last attempt failed
  problem text,
  -- of the asset at the forge
  url text,
  published_at timestamptz,
  PRIMARY KEY (generation_id, kind, name),
  CHECK ((kind = 'asset') = (digest IS NOT NULL)),
  CHECK ((status = 'pending') = (published_at IS NULL))
);

ALTER TABLE publications ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON publications
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR generation_id IN (SELECT generation_id FROM generations));
