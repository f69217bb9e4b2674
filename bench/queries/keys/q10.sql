SELECT COUNT(*), SUM(k.n) FROM keys AS t JOIN (SELECT session, COUNT(*) AS n FROM keys GROUP BY session) AS k ON t.session = k.session
