DROP FUNCTION lock_gate(text);
