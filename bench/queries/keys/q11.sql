SELECT COUNT(*), SUM(k.n) FROM keys AS t JOIN (SELECT "user", COUNT(*) AS n FROM keys GROUP BY "user") AS k ON t."user" = k."user"
