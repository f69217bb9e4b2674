package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/olapd/olapd/test/oracle"
)

// engine is one of the compared databases, with a directory of its own. Only open, close and
// the names may be used while it is closed. It is not safe for concurrent use.
type engine interface {
	name() string
	version() string
	// open starts it on what its directory holds, with so many threads a query.
	open(threads int) error
	close()
	// load fills the suite's table, which is there and empty, from a file.
	load(ctx context.Context, s *suite, src source) error
	// query runs one statement and returns its rows as tab-separated text, without names.
	query(ctx context.Context, sql string) (rows []string, elapsed time.Duration, err error)
	peak() int64 // largest resident size of the process since open, in bytes; 0 if unknown
	// tableSize returns the bytes a table takes on disk, with nothing that waits for its removal.
	tableSize(ctx context.Context, table string) (int64, error)
	path() string
}

// source is a file of rows. As with the peers, olapd's server reads it by itself, unless it is sent.
type source struct {
	path, format string
	sent         bool // to olapd's server, in an INSERT over HTTP
}

// Formats of a source.
const (
	formatTSV     = "TSV"
	formatParquet = "Parquet"
)

// engineNames is the order of the engines in every table.
var engineNames = []string{"olapd", oracle.ClickHouse, oracle.DuckDB}

// newEngine makes an engine with an empty directory under o.dir; it is not open yet.
func newEngine(name string, o machineOptions) (engine, error) {
	e, err := engineAt(name, o)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{loadedMark(e), e.path()} {
		if err := os.RemoveAll(path); err != nil {
			return nil, err
		}
	}
	return e, os.MkdirAll(e.path(), 0o755)
}

// engineAt makes an engine with the directory that an earlier command left under o.dir.
func engineAt(name string, o machineOptions) (engine, error) {
	dir := filepath.Join(o.dir, name)
	switch name {
	case "olapd":
		return &olapdEngine{binary: o.server, dir: dir, arguments: []string{"--user-files", o.dir}}, nil
	case oracle.ClickHouse, oracle.DuckDB:
		return &peerEngine{engine: name, dir: dir}, nil
	}
	return nil, fmt.Errorf("unknown engine %q", name)
}

// loadedMark is the file that says what an engine's directory holds.
func loadedMark(e engine) string { return e.path() + ".loaded" }

// markLoaded notes that an engine's directory holds a table, for loadedEngine.
func markLoaded(e engine, s *suite, o machineOptions) error {
	return os.WriteFile(loadedMark(e), []byte(contents(e, s, o)), 0o644)
}

// contents tells a loaded directory from another: what was loaded, and by which olapd. Building the
// same source again gives the same binary.
func contents(e engine, s *suite, o machineOptions) string {
	made := ""
	if binary, err := os.ReadFile(o.server); err == nil && e.name() == "olapd" {
		made = fmt.Sprintf("%x", sha256.Sum256(binary))
	}
	return fmt.Sprintf("%s %d %d %s", s.name, o.seed, o.rows, made)
}

// loadedEngine returns an engine, closed, whose directory holds the table with no merge to come:
// what an earlier command left there, or else loaded now.
func loadedEngine(name string, s *suite, o machineOptions, src source) (engine, error) {
	e, err := engineAt(name, o)
	if err != nil {
		return nil, err
	}
	if mark, err := os.ReadFile(loadedMark(e)); err == nil && string(mark) == contents(e, s, o) {
		return e, nil
	}
	if e, err = newEngine(name, o); err != nil {
		return nil, err
	}
	if err := e.open(o.threads); err != nil {
		return nil, err
	}
	defer e.close()
	progress("%s: loading %d rows", name, o.rows)
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if err = reset(ctx, e, s); err == nil {
		err = e.load(ctx, s, src)
	}
	if err == nil {
		err = settle(ctx, e)
	}
	if err != nil {
		return nil, err
	}
	return e, markLoaded(e, s, o)
}

// startEngines opens, on empty directories, what it can of o's engines, and says what it cannot.
func startEngines(o machineOptions) (engines []engine) {
	for _, name := range strings.Split(o.only, ",") {
		e, err := newEngine(name, o)
		if err == nil {
			err = e.open(o.threads)
		}
		if err != nil {
			progress("going on without %s: %v", name, err)
			continue
		}
		engines = append(engines, e)
	}
	return engines
}

func closeAll(engines []engine) {
	for _, e := range engines {
		e.close()
	}
}

// reset makes a suite's table anew, empty.
func reset(ctx context.Context, e engine, s *suite) error {
	for _, sql := range []string{"DROP TABLE IF EXISTS " + s.table, s.create(e.name())} {
		if _, _, err := e.query(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// revive opens an engine again if it no longer answers, as after a crash or a timeout.
func revive(e engine, threads int) error {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	if _, _, err := e.query(ctx, "SELECT 1"); err == nil {
		return nil
	}
	e.close()
	return e.open(threads)
}

const (
	probeTimeout  = 20 * time.Second
	settleTimeout = 10 * time.Minute // fifty million rows are merged for minutes
	settlePoll    = 250 * time.Millisecond
	settleQuiet   = 8 // polls in a row without a merge
)

// settle waits until no merge runs or starts any more. DuckDB has none: it gets a CHECKPOINT.
func settle(ctx context.Context, e engine) error {
	if e.name() == oracle.DuckDB {
		_, _, err := e.query(ctx, "CHECKPOINT")
		return err
	}
	deadline := time.Now().Add(settleTimeout)
	for quiet := 0; quiet < settleQuiet; {
		rows, _, err := e.query(ctx, "SELECT count() FROM system.merges")
		if err != nil {
			return err
		}
		if quiet++; strings.Join(rows, "") != "0" {
			quiet = 0
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: merges still run after %v", e.name(), settleTimeout)
		}
		time.Sleep(settlePoll)
	}
	return nil
}

// activeBytes is the statement for the size of a table in olapd and ClickHouse.
func activeBytes(table string) string {
	return "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = '" + table + "'"
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
