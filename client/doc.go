// Package client is the SQL client: olapd client.
//
// It speaks ClickHouse's native protocol, so it works with any server of that kind: with a lower revision of the protocol it leaves out
// what that does not know, with a higher one it stays at its own. Statements come from the command line, a file, standard input or a
// prompt; a script cuts them apart (script.go), an app runs one after another (run.go) over one connection (conn.go, session.go), which is
// a session, so that SET, USE and temporary tables last.
//
// An exchange (exchange.go) is one statement on its way. Formats are this side's business: blocks of a result are written in the
// statement's format, and the data of an INSERT, from the statement, standard input or a file (data.go), is parsed into blocks of the
// columns that the server asks for, with the defaults of those that the rows leave out (rows.go). Nothing that is sent or received is held
// in memory whole, but for external tables (external.go).
//
// A result is never silently short: exceptions and a connection that ends are errors (exception.go). The exit code is the error's code
// modulo 256, or 255 where that is 0.
//
// The prompt is in three layers: repl.go decides, on plain strings, what a typed text means; highlight.go and complete.go colour
// and complete it; terminal.go binds them to a line editor.
package client
