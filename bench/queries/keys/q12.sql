SELECT COUNT(*) FROM keys WHERE session IN (SELECT session FROM keys WHERE amount < 1000)
