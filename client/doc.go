// Package client is the SQL client: olapd client.
//
// It speaks ClickHouse's HTTP interface, so it works with any server of that kind. Statements come from the command line, a
// file, standard input or a prompt; a script cuts them apart (script.go), an app runs one after another (run.go) over a conn
// (conn.go) in one session, so that SET, USE and temporary tables last. INTO OUTFILE and FROM INFILE are carried out here
// (data.go); nothing that is sent or received is held in memory whole.
//
// A result is never silently short: an exception behind the rows and a cut connection are errors (exception.go). The exit
// code is the error's code modulo 256, or 255 where that is 0.
//
// The prompt is in three layers: repl.go decides, on plain strings, what a typed text means; highlight.go and complete.go colour
// and complete it; terminal.go binds them to a line editor.
package client
