DROP TABLE flow_request_runs;
DROP TABLE flow_requests;
