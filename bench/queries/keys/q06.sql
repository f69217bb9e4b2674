SELECT session, city, SUM(amount) AS total FROM keys GROUP BY session, city ORDER BY total DESC, session, city LIMIT 10
