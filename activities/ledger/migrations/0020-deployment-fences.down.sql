DROP TABLE deployment_fences;
