package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/olapd/olapd/bench/hits"
	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

// engine is one of the compared databases, holding its own copy of the table.
type engine interface {
	name() string
	version() string
	// load creates the table and fills it from a TSV file.
	load(ctx context.Context, file string) error
	// query runs one statement and returns its rows as tab-separated text, without names.
	query(ctx context.Context, sql string) (rows []string, elapsed time.Duration, err error)
	peak() int64 // largest resident size so far, in bytes; 0 if unknown
	disk() int64 // bytes of its files
	close()
}

// olapdEngine is olapd over HTTP; its times include the way there and back.
type olapdEngine struct {
	server  *olapd.Server
	session olapd.Session
	dir     string
	release string
}

func openOlapd(target, dir string, threads int) (engine, error) {
	s, err := olapd.Start(target, dir, fmt.Sprintf("GOMAXPROCS=%d", threads))
	if err != nil {
		return nil, err
	}
	e := &olapdEngine{server: s, session: olapd.Session{Server: s}, dir: dir}
	rows, _, err := e.query(context.Background(), "SELECT version()")
	if err != nil {
		s.Stop()
		return nil, err
	}
	e.release = strings.Join(rows, "")
	return e, nil
}

func (e *olapdEngine) name() string    { return "olapd" }
func (e *olapdEngine) version() string { return e.release }
func (e *olapdEngine) peak() int64     { return e.server.Peak() }
func (e *olapdEngine) disk() int64     { return diskSize(e.dir) }
func (e *olapdEngine) close()          { e.server.Stop() }

func (e *olapdEngine) load(ctx context.Context, file string) error {
	if _, _, err := e.query(ctx, "DROP TABLE IF EXISTS hits"); err != nil {
		return err
	}
	if _, _, err := e.query(ctx, hits.CreateClickHouse); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("olapd: load: %w", err)
	}
	defer f.Close()
	a, err := e.session.Insert(ctx, "INSERT INTO hits FORMAT TSV", f)
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("olapd: load: %s", a.Message)
	}
	return err
}

func (e *olapdEngine) query(ctx context.Context, sql string) ([]string, time.Duration, error) {
	start := time.Now()
	a, err := e.session.Run(ctx, sql, "TSV")
	elapsed := time.Since(start)
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("olapd: %s", a.Message)
	}
	return splitRows(a.Data, 0), elapsed, err
}

// peerEngine is ClickHouse or DuckDB in a child process; its times are taken inside the
// child and leave out the pipe.
type peerEngine struct {
	*oracle.Oracle
	engine string
	dir    string
	most   int64
}

func openPeer(name, dir string, threads int) (engine, error) {
	o, err := oracle.Open(oracle.Config{Engine: name, Dir: dir, Threads: threads})
	if err != nil {
		return nil, err
	}
	return &peerEngine{Oracle: o, engine: name, dir: dir}, nil
}

func (e *peerEngine) name() string    { return e.engine }
func (e *peerEngine) version() string { return e.Version }
func (e *peerEngine) peak() int64     { return e.most }
func (e *peerEngine) disk() int64     { return diskSize(e.dir) }
func (e *peerEngine) close()          { _ = e.Close() } // its answers were given

func (e *peerEngine) load(ctx context.Context, file string) error {
	path := strings.ReplaceAll(file, "'", "''")
	statements := []string{"DROP TABLE IF EXISTS hits", hits.CreateClickHouse,
		"INSERT INTO hits SELECT * FROM file('" + path + "', TSV)"}
	if e.engine == oracle.DuckDB {
		statements = []string{"DROP TABLE IF EXISTS hits", hits.CreateDuckDB,
			"COPY hits FROM '" + path + "' (DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '', NULLSTR '\\N')", "CHECKPOINT"}
	}
	for _, sql := range statements {
		if _, _, err := e.query(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func (e *peerEngine) query(ctx context.Context, sql string) ([]string, time.Duration, error) {
	r, err := e.Query(ctx, sql, "TSVWithNamesAndTypes")
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", e.engine, err)
	}
	e.most = max(e.most, r.Peak)
	return splitRows(string(r.Data), 2), r.Elapsed, nil
}

// splitRows returns the lines after the first skip.
func splitRows(data string, skip int) []string {
	if data == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(data, "\n"), "\n")
	return lines[min(skip, len(lines)):]
}

// diskSize returns the bytes of the files under dir that can be read.
func diskSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // merged away meanwhile
			}
			return err
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
