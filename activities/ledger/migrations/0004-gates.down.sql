DROP TABLE gate_decisions;
DROP TABLE gates;
