package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// app runs statements for one user, one after another.
type app struct {
	options
	link      *conn             // nil: not connected yet, or no longer
	database  string            // current, for the prompt and for a new connection; set it with USE
	set       map[string]string // what SET changed in the session
	external  []protocol.Data   // tables that go with every query
	stdin     io.Reader         // data of INSERT; nil: none, because it is a terminal or was the script
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

// execute sends a statement with its data and writes its result. format holds unless the statement or its file says.
func (a *app) execute(st statement, format string) (summary, error) {
	if in, ok := st.ast.(*ast.Insert); ok && (in.Select == nil || in.Input) {
		return a.insert(st, in)
	}
	tail := &ast.Output{}
	if t, ok := st.ast.(ast.Tailed); ok {
		tail = t.Tail()
	}
	if tail.Format != "" {
		format = tail.Format
	}
	file, toFile := takeClause(st.text, "INTO", "OUTFILE", "APPEND", "TRUNCATE", "AND", "STDOUT", "COMPRESSION", "LEVEL")
	if !toFile {
		return a.exchange(st, st.text, format, a.stdout, nil)
	}
	if tail.Format == "" {
		if format = fileFormat(file.path); format == "" {
			format = "TabSeparated"
		}
	}
	f, err := openOutfile(file)
	if err != nil {
		return summary{}, err
	}
	out := io.Writer(f)
	if strings.Contains(strings.Join(file.words, " "), "AND STDOUT") {
		out = io.MultiWriter(f, a.stdout)
	}
	sum, err := a.exchange(st, file.without, format, out, nil)
	if err != nil {
		f.abandon()
		return sum, err
	}
	return sum, sqlerr.Wrap(f.Close(), sqlerr.CannotOpenFile, "Cannot write %s", file.path)
}

// errNoData is ClickHouse's for an INSERT that has no data anywhere.
var errNoData = sqlerr.New(sqlerr.NoDataToInsert, "No data to insert")

// insert sends an INSERT and its data: from the statement itself, from a file or from standard input.
func (a *app) insert(st statement, in *ast.Insert) (summary, error) {
	name := in.Format
	if name == "" {
		name = "Values"
	}
	switch {
	case in.Infile != nil:
		return a.insertFiles(st, in)
	case in.DataStart >= 0:
		data := io.Reader(strings.NewReader(st.text[in.DataStart:]))
		if st.rest != nil {
			data = io.MultiReader(data, st.rest)
		}
		return a.insertRows(st, st.text[:in.DataStart], name, data)
	case a.stdin == nil:
		return summary{}, errNoData
	}
	return a.insertRows(st, st.text, name, a.stdin)
}

// insertRows sends an INSERT whose rows are data.
func (a *app) insertRows(st statement, text, name string, data io.Reader) (summary, error) {
	f, err := format.Lookup(name)
	if err != nil {
		return summary{}, err
	}
	return a.exchange(st, text, "Null", a.stdout, &rowSource{data: data, format: f})
}

func (a *app) insertFiles(st statement, in *ast.Insert) (summary, error) {
	file, ok := takeClause(st.text, "FROM", "INFILE", "COMPRESSION")
	if !ok {
		return summary{}, sqlerr.New(sqlerr.BadArguments, "FROM INFILE needs the name of a file")
	}
	paths, err := infiles(file.path)
	if err != nil {
		return summary{}, err
	}
	var total summary
	for _, path := range paths {
		sum, err := a.insertFile(st, in.Format, file, path)
		if err != nil {
			return total, err
		}
		total.writtenRows += sum.writtenRows
		total.writtenBytes += sum.writtenBytes
	}
	return total, nil
}

func (a *app) insertFile(st statement, name string, file clause, path string) (summary, error) {
	text := file.without
	if name == "" {
		if name = fileFormat(path); name == "" {
			return summary{}, sqlerr.New(sqlerr.UnknownFormat, "The name of %s does not tell its format: add FORMAT", path)
		}
		text += " FORMAT " + name
	}
	f, err := openInfile(path, file.compression)
	if err != nil {
		return summary{}, err
	}
	defer f.Close()
	return a.insertRows(st, text, name, f)
}

// exchange runs one statement, with progress and Ctrl-C, and writes the answer to out.
func (a *app) exchange(st statement, text, name string, out io.Writer, rows *rowSource) (summary, error) {
	f, err := format.Lookup(name)
	if err != nil {
		return summary{}, err
	}
	c, err := a.connect()
	if err != nil {
		return summary{}, err
	}
	x := &exchange{app: a, conn: c, stmt: a.settle(st), rows: rows, isInsert: beginsWith(text, "INSERT")}
	if a.bars {
		x.bar = startProgress(a.stderr, a.width)
	}
	defer x.bar.stop()
	if rows != nil {
		rows.read = x.bar.sent
	}
	x.print = &printer{
		out: out, format: f, options: x.stmt.values.Format(x.stmt.env.Zone, x.stmt.env.Now), started: time.Now(), first: x.bar.stop,
	}
	q := question{id: randomID(), text: text, settings: a.settingsToTell(), parameters: a.parameters()}
	if rows == nil {
		q.tables = a.external
	}
	err = x.run(q)
	x.bar.stop()
	x.sum.resultRows = x.print.count
	return x.sum, err
}

// beginsWith reports whether a statement's first word is the given one, also of a statement that does not parse.
func beginsWith(text, word string) bool {
	for t := range parse.Tokens(text) {
		return strings.EqualFold(text[t.Start:t.End], word)
	}
	return false
}

// footer is what stands below a result at a prompt.
func (a *app) footer(stmt ast.Statement, sum summary, elapsed time.Duration) {
	rows := sum.resultRows
	switch stmt.(type) {
	case *ast.SelectUnion, *ast.Show, *ast.Describe, *ast.Exists, *ast.Explain, nil:
	default:
		fmt.Fprint(a.stdout, "Ok.\n")
		rows = max(rows, sum.writtenRows)
	}
	fmt.Fprintln(a.stdout)
	noun := "rows"
	if rows == 1 {
		noun = "row"
	}
	fmt.Fprintf(a.stdout, "%d %s in set. ", rows, noun)
	seconds := elapsed.Seconds()
	fmt.Fprintf(a.stdout, "Elapsed: %.3f sec.", seconds)
	if sum.readRows >= worthTelling {
		fmt.Fprintf(a.stdout, " Processed %s", processed(sum.readRows, sum.readBytes, max(seconds, 1e-9)))
		if sum.memory > 0 {
			fmt.Fprintf(a.stdout, "\nPeak memory usage: %s.", memoryText(sum.memory))
		}
	}
	fmt.Fprint(a.stdout, "\n\n")
}

// worthTelling is how many rows a query must have read for its speed to mean something; as in clickhouse-client.
const worthTelling = 1000
