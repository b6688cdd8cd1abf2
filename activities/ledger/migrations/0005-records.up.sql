-- Snapshots of the ledger, evidence, and samples of metrics by day.

CREATE TABLE snapshots (
  snapshot_id text PRIMARY KEY CHECK (snapshot_id <> ''),
  repository text NOT NULL,
  label text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  db_size_bytes bigint NOT NULL CHECK (db_size_bytes >= 0),
  -- of the blob store
  blob text NOT NULL
);

CREATE TABLE evidence (
  digest text NOT NULL,
  kind text NOT NULL,
  -- what it is about: a generation, an evolution, a pipeline run
  subject text NOT NULL,
  repository text,
  -- of the blob store
  blob text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, subject, digest)
);

CREATE TABLE metrics_samples (
  time timestamptz NOT NULL,
  name text NOT NULL,
  labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
  value double precision NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX ON metrics_samples (name, time);

-- The partition of a day (UTC). The writer may call it, and create nothing else.
CREATE FUNCTION ensure_metrics_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = longhaul, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  part text := 'metrics_samples_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF to_regclass(part) IS NULL THEN
    -- another session may be creating it
    LOCK TABLE metrics_samples IN SHARE UPDATE EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF metrics_samples FOR VALUES FROM (%L) TO (%L)',
      part, day::timestamptz, (day + 1)::timestamptz);
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION ensure_metrics_day(date) FROM PUBLIC;

ALTER TABLE snapshots ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON snapshots
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON evidence
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE metrics_samples ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON metrics_samples
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', labels ->> 'repository'));
