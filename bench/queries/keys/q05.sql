SELECT "user", COUNT(*) AS n FROM keys GROUP BY "user" ORDER BY n DESC, "user" LIMIT 10
