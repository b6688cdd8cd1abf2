DROP FUNCTION ensure_metrics_day(date);
DROP TABLE metrics_samples;
DROP TABLE evidence;
DROP TABLE snapshots;
