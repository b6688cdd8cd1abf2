DROP TABLE evolutions;
DROP TABLE generation_changes;
DROP TABLE generations;
