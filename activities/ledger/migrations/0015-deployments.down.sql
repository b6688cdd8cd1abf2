DROP TABLE deployment_samples;
DROP TABLE deployment_objects;
DROP TABLE deployments;
