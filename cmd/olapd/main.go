// Command olapd is the database, its client and its demo in one binary.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones must not depend on the machine

	"github.com/olapd/olapd/client"
	"github.com/olapd/olapd/internal/demo"
	"github.com/olapd/olapd/internal/node"
)

const usage = `olapd is a real-time columnar database that speaks ClickHouse's SQL.

Usage:

  olapd server [--data DIR] [--http ADDRESS] [--config FILE] …   run a node
  olapd client [--host HOST] [--port PORT] [-q QUERY] …          query one
  olapd cluster init | token | status | leave | …                make several nodes one database
  olapd demo                                                     a node, a broker and a stream of events, to try out
  olapd version

"olapd server --help" and the like say more.
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(errs, usage)
		return 2
	}
	switch args[0] {
	case "server":
		return serve(args[1:], errs)
	case "client":
		return client.Main(args[1:], in, out, errs)
	case "cluster":
		return clusterMain(args[1:], in, out, errs)
	case "demo":
		return demo.Main(args[1:], out, errs)
	case "version", "--version", "-V":
		fmt.Fprintf(out, "olapd, compatible with ClickHouse %s\n", node.Version)
		return 0
	case "help", "--help", "-h":
		fmt.Fprint(out, usage)
		return 0
	}
	fmt.Fprintf(errs, "olapd: unknown command %q\n\n%s", args[0], usage)
	return 2
}

// serve runs a node until it is told to stop, by SIGINT or SIGTERM; a second signal ends it at once.
func serve(args []string, errs io.Writer) int {
	cfg, err := node.LoadConfig(args, os.Environ(), errs)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(errs, "olapd:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := node.Open(ctx, cfg)
	if err != nil {
		fmt.Fprintln(errs, "olapd:", err)
		return 1
	}
	<-ctx.Done()
	stop()
	if err := n.Close(); err != nil {
		fmt.Fprintln(errs, "olapd:", err)
		return 1
	}
	return 0
}
