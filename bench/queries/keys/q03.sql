SELECT token, COUNT(*) AS n FROM keys GROUP BY token ORDER BY n DESC, token LIMIT 10
