package query

import "io"

// SessionOptions is who opens a session, and how.
type SessionOptions struct {
	User     string // default if empty
	Database string // the user's default one if empty
	// Settings are the client's own, as if it had said SET.
	Settings map[string]string
	// Roles are those to be on, as after SET ROLE; nil: the user's default ones.
	Roles  []string
	Client Client
}

// Client describes a session's other end, for system.processes and system.query_log.
type Client struct {
	Address    string // host:port
	Interface  string // HTTP, TCP, …
	Name       string
	UserAgent  string
	HTTPMethod string
	Secure     bool // over TLS
}

// Query is one statement to execute.
type Query struct {
	// Text is the statement. Body, if not nil, goes on behind it (and a line end): the rest of the statement, the data of an INSERT,
	// or both. Data is streamed, never held whole.
	Text string
	Body io.Reader
	// ID is the query's; one is made up if it is empty.
	ID string
	// Database is the current one for this query only; empty: the session's.
	Database string
	// Params are values of {name:Type}, escaped as in TSV.
	Params map[string]string
	// Settings hold for this query only.
	Settings map[string]string
	// ReadOnly allows no writes: GET requests.
	ReadOnly bool
	// Revision is the client's protocol revision for Native output; 0: none.
	Revision int
	// Client describes this request where it differs from the session's; nil: as the session's.
	Client *Client
	// Tables came along with the statement.
	Tables []External
	// Rows is asked for the rows of an INSERT if neither Text nor Body has them: clients of the native protocol send blocks when they know
	// the columns. It and what it returns are called before Execute returns, from one goroutine at a time.
	Rows func(Wanted) (Rows, error)
	// OwnOutput says that FORMAT and INTO OUTFILE are carried out by the client.
	OwnOutput bool
	// later is what a BACKUP or RESTORE … ASYNC that runs behind its statement comes to; nil: it is none.
	later *laterBackup
	// Progress hears of work done, as totals, now and then from any goroutine; may be nil.
	Progress func(Progress)
	// Watch is called when the query begins to run, with what tells at any time, also later and from any goroutine, how far it is; may be nil.
	Watch func(now func() Progress)
}

// Progress is how far a query is: totals since its start.
type Progress struct {
	ReadRows, ReadBytes       uint64
	TotalRows                 uint64 // to be read, as far as known
	WrittenRows, WrittenBytes uint64
	ResultRows, ResultBytes   uint64
	ElapsedNanos              uint64
	PeakMemory                int64
}
