DROP TABLE pipeline_jobs;
DROP TABLE pipeline_runs;
