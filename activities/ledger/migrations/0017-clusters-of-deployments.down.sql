ALTER TABLE deployment_objects DROP COLUMN context;
