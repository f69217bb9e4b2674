package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// cancelGrace is how long a killed query may take to say so before the connection is cut.
const cancelGrace = time.Second

// app runs statements for one user, one after another.
type app struct {
	options
	conn      *conn
	stdin     io.Reader // data of INSERT; nil: none, because it is a terminal or was the script
	stdout    io.Writer
	stderr    io.Writer
	prompting bool       // a person types the statements
	bars      bool       // draw progress on stderr
	width     func() int // columns of the terminal
	changed   func()     // called when names on the server may have changed
	// interrupts begins to listen to Ctrl-C; the second result ends that.
	interrupts func() (<-chan os.Signal, func())
}

// runScript runs statements until one fails. A person goes on after an error, so it is told here and there only.
func (a *app) runScript(s *script) error {
	for {
		st, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if a.echo {
			fmt.Fprintln(a.stdout, strings.TrimSpace(st.text))
		}
		if err := a.runStatement(st); err != nil {
			return err
		}
	}
}

// runStatement runs one statement and prints its result, and what follows it at a prompt.
func (a *app) runStatement(st statement) error {
	format := a.format
	if st.vertical || a.vertical {
		format = "Vertical"
	}
	start := time.Now()
	sum, err := a.execute(st, format)
	elapsed := time.Since(start)
	if err != nil {
		return err
	}
	a.follow(st.ast)
	if a.prompting {
		a.footer(st.ast, sum, elapsed)
	}
	if a.time {
		fmt.Fprintf(a.stderr, "%.3f\n", elapsed.Seconds())
	}
	return nil
}

// follow keeps up with what a statement changed in the session or on the server.
func (a *app) follow(stmt ast.Statement) {
	switch s := stmt.(type) {
	case *ast.Use:
		a.conn.database = s.Database.Text
	case *ast.Set:
		for _, one := range s.Settings {
			a.conn.forget(one.Name)
		}
	case *ast.SelectUnion, *ast.Insert, *ast.Explain, *ast.Exists, *ast.Describe:
	default:
		a.changed()
	}
}

// execute sends a statement with its data and writes its result.
func (a *app) execute(st statement, format string) (summary, error) {
	if in, ok := st.ast.(*ast.Insert); ok && in.Select == nil {
		return a.insert(st, in)
	}
	text, out := st.text, a.stdout
	file, toFile := takeClause(text, "INTO", "OUTFILE", "APPEND", "TRUNCATE", "AND", "STDOUT", "COMPRESSION", "LEVEL")
	if !toFile {
		return a.exchange(request{text: text, format: format, data: st.rest}, out)
	}
	f, err := openOutfile(file)
	if err != nil {
		return summary{}, err
	}
	out = f
	if strings.Contains(strings.Join(file.words, " "), "AND STDOUT") {
		out = io.MultiWriter(f, a.stdout)
	}
	if format = fileFormat(file.path); format == "" {
		format = "TabSeparated"
	}
	sum, err := a.exchange(request{text: file.without, format: format}, out)
	if err != nil {
		f.abandon()
		return sum, err
	}
	return sum, sqlerr.Wrap(f.Close(), sqlerr.CannotOpenFile, "Cannot write %s", file.path)
}

// errNoData is ClickHouse's for an INSERT that has no data anywhere.
var errNoData = &exception{code: 108, text: "Code: 108. DB::Exception: No data to insert. (NO_DATA_TO_INSERT)"}

// insert sends an INSERT and its data: from the statement itself, from a file or from standard input.
func (a *app) insert(st statement, in *ast.Insert) (summary, error) {
	switch {
	case in.Infile != nil:
		return a.insertFiles(st.text)
	case in.DataStart >= 0:
		return a.exchange(request{text: st.text, data: st.rest}, a.stdout)
	case a.stdin == nil:
		return summary{}, errNoData
	}
	return a.exchange(request{text: strings.TrimSpace(st.text) + "\n", data: a.stdin}, a.stdout)
}

func (a *app) insertFiles(text string) (summary, error) {
	file, ok := takeClause(text, "FROM", "INFILE", "COMPRESSION")
	if !ok {
		return summary{}, sqlerr.New(sqlerr.BadArguments, "FROM INFILE needs the name of a file")
	}
	paths, err := infiles(file.path)
	if err != nil {
		return summary{}, err
	}
	var total summary
	for _, path := range paths {
		sum, err := a.insertFile(file, path)
		if err != nil {
			return total, err
		}
		total.WrittenRows += sum.WrittenRows
		total.WrittenBytes += sum.WrittenBytes
		total.Whole = sum.Whole
	}
	return total, nil
}

func (a *app) insertFile(file clause, path string) (summary, error) {
	text := file.without
	if stmt, err := parse.One(text, parse.Limits{}); err != nil || stmt.(*ast.Insert).Format == "" {
		format := fileFormat(path)
		if format == "" {
			return summary{}, sqlerr.New(sqlerr.UnknownFormat, "The name of %s does not tell its format: add FORMAT", path)
		}
		text += " FORMAT " + format
	}
	f, err := openInfile(path, file.compression)
	if err != nil {
		return summary{}, err
	}
	defer f.Close()
	return a.exchange(request{text: text + "\n", data: f}, a.stdout)
}

// exchange runs one request, with progress and Ctrl-C, and copies the answer to out.
func (a *app) exchange(r request, out io.Writer) (summary, error) {
	r.id, r.inSession = randomID(), true
	ctx, cancel := context.WithCancel(context.Background())
	defer a.watch(ctx, cancel, r.id)()
	sent, stop := func(int) {}, func() {}
	if a.bars {
		p := startProgress(ctx, a.conn, r.id, a.stderr, a.width)
		sent, stop = func(n int) { p.sent.Add(int64(n)) }, p.stop
	}
	defer stop()
	if r.data != nil {
		r.data = source{r: r.data, sent: sent}
	}
	answer, err := a.conn.send(ctx, r)
	if err != nil {
		return summary{}, a.cancelled(ctx, err)
	}
	defer answer.close()
	if err := a.copy(out, answer, stop); err != nil {
		return summary{}, a.cancelled(ctx, err)
	}
	return answer.summary(), nil
}

func (a *app) cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return sqlerr.New(sqlerr.QueryWasCancelled, "Query was cancelled")
	}
	return err
}

// copy copies the rows as they come; the progress bar goes when the first is there.
func (a *app) copy(out io.Writer, in io.Reader, stop func()) error {
	buf := make([]byte, 64<<10)
	last := byte('\n')
	for {
		n, err := in.Read(buf)
		if n > 0 {
			stop()
			last = buf[n-1]
			if _, err := out.Write(buf[:n]); err != nil {
				return sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot write the result")
			}
		}
		if err == nil {
			continue
		}
		stop()
		if last != '\n' && (a.prompting || !errors.Is(err, io.EOF)) && out == a.stdout {
			fmt.Fprintln(out)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// watch cancels the query with the given id on Ctrl-C: it asks the server to kill it, and cuts the connection if the query
// does not end soon or Ctrl-C comes again. The returned function ends the watch.
func (a *app) watch(ctx context.Context, cancel context.CancelFunc, id string) func() {
	done := make(chan struct{})
	interrupts, deafen := a.interrupts()
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
			return
		case <-interrupts:
		}
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			_ = a.conn.kill(ctx, id) // if it cannot be killed, cutting the connection remains
		}()
		defer func() { <-killed }()
		select {
		case <-ctx.Done():
		case <-interrupts:
		case <-time.After(cancelGrace):
		}
		cancel()
	}()
	return func() {
		cancel()
		<-done
		deafen()
	}
}

// footer is what stands below a result at a prompt.
func (a *app) footer(stmt ast.Statement, sum summary, elapsed time.Duration) {
	rows := sum.ResultRows
	switch stmt.(type) {
	case *ast.SelectUnion, *ast.Show, *ast.Describe, *ast.Exists, *ast.Explain, nil:
	default:
		fmt.Fprint(a.stdout, "Ok.\n")
		rows = max(rows, sum.WrittenRows)
	}
	fmt.Fprintln(a.stdout)
	if sum.Whole {
		noun := "rows"
		if rows == 1 {
			noun = "row"
		}
		fmt.Fprintf(a.stdout, "%d %s in set. ", rows, noun)
	}
	seconds := elapsed.Seconds()
	fmt.Fprintf(a.stdout, "Elapsed: %.3f sec.", seconds)
	if sum.Whole && sum.ReadRows >= worthTelling {
		fmt.Fprintf(a.stdout, " Processed %s", processed(sum.ReadRows, sum.ReadBytes, max(seconds, 1e-9)))
		if sum.MemoryUsage > 0 {
			fmt.Fprintf(a.stdout, "\nPeak memory usage: %s.", memoryText(sum.MemoryUsage))
		}
	}
	fmt.Fprint(a.stdout, "\n\n")
}

// worthTelling is how many rows a query must have read for its speed to mean something; as in clickhouse-client.
const worthTelling = 1000
