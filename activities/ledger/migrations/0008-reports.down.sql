DROP TABLE quality_results;
DROP TABLE findings;
DROP TABLE coverage;
DROP TABLE test_results;
ALTER TABLE pipeline_jobs DROP COLUMN resumed_from;
