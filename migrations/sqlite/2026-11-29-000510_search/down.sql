DROP INDEX users_by_stated_email;
