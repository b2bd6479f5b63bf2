DROP INDEX users_by_stated_email;
DROP FUNCTION folded(text);
