-- The context of each object: the services of one environment may be in several clusters.
ALTER TABLE deployment_objects ADD COLUMN context text;
UPDATE deployment_objects o SET context = d.context FROM deployments d WHERE d.deployment_id = o.deployment_id;
ALTER TABLE deployment_objects ALTER COLUMN context SET NOT NULL;
