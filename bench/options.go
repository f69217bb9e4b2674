package main

import (
	"flag"
	"fmt"
	"path/filepath"
)

// machineOptions are the flags of every command that starts engines.
type machineOptions struct {
	server, dir, results, only string
	rows                       int64
	seed                       uint64
	threads                    int
}

// register adds the flags, rows being the default number of them.
func (o *machineOptions) register(fs *flag.FlagSet, rows int64) {
	fs.StringVar(&o.server, "server", "bin/olapd", "olapd binary to start")
	fs.StringVar(&o.dir, "dir", ".cache/bench", "directory for the generated files and the tables")
	fs.StringVar(&o.results, "results", resultsDir, "directory whose file gets one line for this run; empty for none")
	fs.StringVar(&o.only, "engines", "olapd,clickhouse,duckdb", "engines to compare")
	fs.Int64Var(&o.rows, "rows", rows, "rows of the table")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of the generator")
	fs.IntVar(&o.threads, "threads", 2, "threads each engine may use")
}

// parse reads the arguments and checks them.
func (o *machineOptions) parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", fs.Name(), fs.Arg(0))
	}
	if o.rows < 1 || o.threads < 1 {
		return fmt.Errorf("%s: want at least 1 row and 1 thread", fs.Name())
	}
	dir, err := filepath.Abs(o.dir)
	o.dir = dir
	return err
}
