// Command gen writes the assembly of package kernel: one topic a run, each an .s file with AVX2 and AVX-512 versions and
// a Go file with their declarations. It is a module of its own; "go generate ./internal/kernel" runs it.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

// topics are the files that can be written.
var topics = map[string]func(){
	"unpack": unpack, "sum": sums, "minmax": minMax, "compare": compare, "mask": masks, "runs": runs, "hash": hashes, "search": search, "arith": arith, "lookup": lookup, "prefix": prefix,
}

func main() {
	topic := flag.String("topic", "", "which file to write")
	flag.Parse()
	write, ok := topics[*topic]
	if !ok {
		log.Fatalf("no topic %q", *topic)
	}
	ConstraintExpr("amd64")
	write()
	Generate()
}
