// Command bench generates benchmark tables and compares olapd with ClickHouse and DuckDB on
// them. README.md in this directory says how it measures.
//
//	bench gen --rows 1000000 --seed 1 --format tsv > hits.tsv
//	bench run --rows 1000000
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/olapd/olapd/bench/hits"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: bench COMMAND [flags] (-h lists them); commands: %s", commandNames())
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:])
		}
	}
	return fmt.Errorf("unknown command %q (want %s)", args[0], commandNames())
}

// commands is every command, in the order in which they are told.
var commands = []struct {
	name string
	run  func(args []string) error
}{
	{"gen", runGen},
	{"run", runCompare},
	{"load", runLoad},
	{"insert", runInsert},
	{"kafka", runKafka},
	{"kafka-broker", runBroker},
	{"clients", runClients},
	{"growth", runGrowth},
	{"scale", runScale},
	{"memory", runMemory},
	{"profile", runProfile},
	{"report", runReport},
}

func commandNames() string {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// runGen writes hits to the standard output.
func runGen(args []string) error {
	fs := flag.NewFlagSet("gen", flag.ContinueOnError)
	rows := fs.Int64("rows", 1_000_000, "number of rows")
	seed := fs.Uint64("seed", 1, "seed of the generator")
	format := fs.String("format", "tsv", "tsv, csv, jsoneachrow or rowbinary")
	if err := fs.Parse(args); err != nil {
		return err
	}
	f, err := hits.ParseFormat(*format)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(os.Stdout)
	if err := hits.Write(w, hits.New(*seed, *rows), f); err != nil {
		return err
	}
	return w.Flush()
}
