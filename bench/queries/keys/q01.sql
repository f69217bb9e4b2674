SELECT session, COUNT(*) AS n FROM keys GROUP BY session ORDER BY n DESC, session LIMIT 10
