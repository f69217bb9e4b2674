// Package torture kills a real olapd process again and again while Kafka and HTTP clients write to it, and holds what is
// left against what was written.
//
//	go test ./test/torture -server=$PWD/bin/olapd -kills 30 -v
//
// Three processes take part: this test, which writes, asks and kills; a Kafka broker in a process of its own (this
// binary again), or the real one that KAFKA_BROKERS names; and olapd. A cycle is: start olapd, half of the time with a
// kill point (OLAPD_KILL_AT, package internal/vfs) that ends it in the middle of a file operation; wait until it answers a
// query, which is timed; check; kill it with SIGKILL at a random moment, unless the kill point was faster. Every few
// cycles the broker is stopped too, half of the times by SIGKILL. Writers never pause.
//
// # What is checked after every restart
//
// Each by one statement, so under load all of its parts see the same moment:
//
//   - topic to table: for each partition count() = uniqExact(offset) = max − min + 1, min = 0, and nothing that was visible before is gone.
//   - rollups: one that sums, one of states, and a rollup of a rollup have the rows of the same query over the base table.
//   - messages that do not parse: with the rows of their topic they cover each partition without hole or overlap.
//   - HTTP inserts: an acknowledged one is there once, with all rows; one whose outcome is unknown is there once or not at
//     all; its retries with the same token change nothing; and its rollup has the same.
//
// At the end, with all writers stopped, every partition has as many rows and dead letters as the topic has messages, every
// acknowledged message is there, and after a clean stop (SIGTERM) and one more start all of it is still so.
package torture
