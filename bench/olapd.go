package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

// olapdEngine is olapd as a process of its own, asked over HTTP; its times include the way
// there and back.
type olapdEngine struct {
	binary, dir string
	server      *olapd.Server
	session     olapd.Session
	release     string
	arguments   []string // more of the command line
	admin       string   // address of profiling, if arguments open it
}

func (e *olapdEngine) name() string    { return "olapd" }
func (e *olapdEngine) version() string { return e.release }
func (e *olapdEngine) path() string    { return e.dir }

func (e *olapdEngine) open(threads int) error {
	address, err := olapd.FreeAddress()
	if err != nil {
		return err
	}
	s, err := olapd.Launch(e.binary, e.dir, address, e.arguments, fmt.Sprintf("GOMAXPROCS=%d", threads))
	if err != nil {
		return err
	}
	// As for ClickHouse: off, unless a query turns it on.
	e.server, e.session = s, olapd.Session{Server: s, Settings: map[string]string{"use_query_condition_cache": "0"}}
	if err := s.Wait(); err != nil {
		e.close()
		return err
	}
	rows, _, err := e.query(context.Background(), "SELECT version()")
	if err != nil {
		e.close()
		return err
	}
	e.release = strings.Join(rows, "")
	return nil
}

// openAdmin has the next open serve profiles, at e.admin.
func (e *olapdEngine) openAdmin() (err error) {
	if e.admin, err = olapd.FreeAddress(); err == nil {
		e.arguments = append(e.arguments, "--admin", e.admin)
	}
	return err
}

func (e *olapdEngine) close() {
	if e.server != nil {
		e.server.Quit()
		e.server = nil
	}
}

func (e *olapdEngine) peak() int64 {
	if e.server == nil {
		return 0
	}
	return e.server.Peak()
}

func (e *olapdEngine) load(ctx context.Context, s *suite, src source) error {
	if !src.sent {
		_, _, err := e.query(ctx, "INSERT INTO "+s.table+" SELECT * FROM file('"+strings.ReplaceAll(src.path, "'", "''")+"', "+src.format+")")
		return err
	}
	f, err := os.Open(src.path)
	if err != nil {
		return fmt.Errorf("olapd: load: %w", err)
	}
	defer f.Close()
	a, err := e.session.Insert(ctx, "INSERT INTO "+s.table+" FORMAT "+src.format, f)
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("olapd: load: %s", a.Message)
	}
	return err
}

func (e *olapdEngine) query(ctx context.Context, sql string) ([]string, time.Duration, error) {
	if e.server == nil {
		return nil, 0, errClosed
	}
	start := time.Now()
	a, err := e.session.Run(ctx, sql, "TSV")
	elapsed := time.Since(start)
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("olapd: %s", a.Message)
	}
	return splitRows(a.Data, 0), elapsed, err
}

func (e *olapdEngine) tableSize(ctx context.Context, table string) (int64, error) {
	rows, _, err := e.query(ctx, activeBytes(table))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.Join(rows, ""), 10, 64)
}
