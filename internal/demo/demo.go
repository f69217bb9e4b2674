// Package demo is olapd to try out: an embedded node, an embedded Kafka broker and a stream of made-up web analytics flowing
// from one into the other, all in one process and one directory.
//
//	generator ─► producer ─► broker, topic events ─► node: events_queue ─► events ─► events_by_minute, pages_by_hour
//
// The tables are made by SQL that anybody could type (schema.go), everything that is shown is asked over HTTP. What is in the
// directory survives any end of the process: the next run goes on where the last one stopped.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/olapd/olapd/internal/node"
	"github.com/olapd/olapd/internal/vfs"
)

// options are the flags.
type options struct {
	data, http, native, kafka string
	rate, partitions          int
	nodes                     int
	schema, produce           bool
	length                    time.Duration // 0: until a signal
}

// maxRate is more than one process can make and take, and keeps the arithmetic of pacing harmless.
const maxRate = 10_000_000

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("olapd demo", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&o.data, "data", "./data/demo", "`directory` of everything stored")
	fs.StringVar(&o.http, "http", "127.0.0.1:8123", "`address` of the HTTP interface; if it is taken, a free port is chosen")
	fs.StringVar(&o.native, "native", node.DefaultNative, "`address` of the native protocol; if it is taken, a free port is chosen")
	fs.StringVar(&o.kafka, "kafka", "127.0.0.1:9092", "`address` of the Kafka broker, kept for the life of the data; if it is taken, a free port is chosen")
	fs.IntVar(&o.rate, "rate", 20_000, "`events` a second")
	fs.IntVar(&o.partitions, "partitions", 4, "`number` of partitions of the topic, when it is made")
	fs.IntVar(&o.nodes, "nodes", 1, "`number` of nodes; with more than one, each is a process of its own")
	fs.BoolVar(&o.schema, "schema", false, "print the statements that make the tables, for the broker of --kafka, and exit")
	fs.BoolVar(&o.produce, "produce", false, "produce events to the broker at --kafka, which is there already, and do nothing else")
	fs.DurationVar(&o.length, "for", 0, "how `long` to run; 0: until Ctrl-C")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.rate < 0 || o.rate > maxRate:
		err = fmt.Errorf("--rate %d: 0 to %d events a second", o.rate, maxRate)
	case o.partitions < 1 || o.partitions > 1024:
		err = fmt.Errorf("--partitions %d: 1 to 1024", o.partitions)
	case o.nodes < 1 || o.nodes > 16:
		err = fmt.Errorf("--nodes %d: 1 to 16", o.nodes)
	case o.length < 0:
		err = fmt.Errorf("--for %s: not before now", o.length)
	}
	if err != nil {
		fmt.Fprintln(out, "olapd demo:", err)
	}
	return o, err
}

// Main is the command `olapd demo`: it runs until SIGINT, SIGTERM or the end of --for, and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if o.schema {
		for _, sql := range schema(o.kafka) {
			fmt.Fprintf(stdout, "%s;\n", strings.TrimSpace(sql))
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	does := run
	if o.produce {
		does = produceOnly
	}
	if err := does(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "olapd demo:", err)
		return 1
	}
	return 0
}

// run is a whole demo: it ends with ctx or by itself after o.length.
func run(ctx context.Context, o options, out io.Writer) error {
	d, err := open(ctx, o, out)
	if err != nil {
		return err
	}
	return errors.Join(d.stream(ctx), d.close())
}

// demo is a running node with its broker.
type demo struct {
	opts    options
	out     io.Writer
	log     vfs.File
	lock    io.Closer
	broker  *broker
	node    *node.Node // if there is one
	nodes   []*process // if there are several
	ask     *asker
	before  uint64 // events in the topic when it was opened
	closers []func() error
}

// open starts broker and node and makes the tables.
func open(ctx context.Context, o options, out io.Writer) (_ *demo, err error) {
	d := &demo{opts: o, out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	open := d.openNode
	if o.nodes > 1 {
		open = d.openCluster
	}
	for _, step := range []func(context.Context) error{d.openDir, d.openBroker, open, d.makeTables} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	d.welcome()
	return d, nil
}

// closing registers what close has to do, last first.
func (d *demo) closing(f func() error) { d.closers = append(d.closers, f) }

// close stops what runs, the youngest first: the node before the broker.
func (d *demo) close() error {
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i]())
	}
	d.closers = nil
	return errors.Join(errs...)
}

func (d *demo) openDir(context.Context) error {
	fsys := vfs.Disk()
	if err := fsys.MkdirAll(d.opts.data); err != nil {
		return err
	}
	lock, err := fsys.Lock(d.opts.data)
	if err != nil {
		return fmt.Errorf("%s is used by another demo: stop it, or use another --data (%w)", d.opts.data, err)
	}
	d.closing(lock.Close)
	d.log, err = fsys.OpenAppend(d.logName())
	if err != nil {
		return err
	}
	d.closing(d.log.Close)
	return nil
}

func (d *demo) logName() string { return filepath.Join(d.opts.data, "log") }

func (d *demo) logger() *slog.Logger { return slog.New(slog.NewTextHandler(d.log, nil)) }

func (d *demo) openBroker(ctx context.Context) error {
	b, err := openBroker(ctx, filepath.Join(d.opts.data, "kafka"), d.opts.kafka, d.opts.partitions, d.logger())
	if err != nil {
		return err
	}
	d.broker = b
	d.closing(func() error {
		b.close()
		return nil
	})
	ends, err := b.ends(ctx)
	if err != nil {
		return err
	}
	for _, n := range ends {
		d.before += uint64(n)
	}
	return nil
}

func (d *demo) openNode(ctx context.Context) error {
	c := node.DefaultConfig()
	c.Data, c.Logger = filepath.Join(d.opts.data, "olapd"), d.logger()
	var err error
	if c.HTTP, err = freeAddress(d.opts.http); err != nil {
		return err
	}
	if c.Native, err = freeAddress(d.opts.native); err != nil {
		return err
	}
	d.node, err = node.Open(ctx, c)
	if err != nil {
		return err
	}
	d.closing(d.node.Close)
	d.ask = &asker{urls: []string{"http://" + d.node.HTTPAddr()}}
	d.closing(func() error {
		d.ask.client.CloseIdleConnections()
		return nil
	})
	return nil
}

func (d *demo) makeTables(ctx context.Context) error {
	for _, sql := range schema(d.broker.addr) {
		if _, err := d.ask.ask(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// welcome says where everything is and what to try.
func (d *demo) welcome() {
	p := func(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }
	p("olapd demo: %s events a second through Kafka into olapd; everything is in %s", grouped(int64(d.opts.rate)), d.opts.data)
	if d.before > 0 {
		p("going on behind %s events", grouped(int64(d.before)))
	}
	p("")
	var http, native string
	if d.node != nil {
		http, native = d.node.HTTPAddr(), d.node.NativeAddr()
	} else {
		http, native = d.nodes[0].http, d.nodes[0].native
	}
	d.address("HTTP, as ClickHouse's", http, d.opts.http, "is taken")
	d.address("ClickHouse's protocol", native, d.opts.native, "is taken")
	d.address("Kafka, topic "+topic, d.broker.addr, d.opts.kafka, "is taken, or was when this data was made")
	p("  %-22s %s", "log", d.logName())
	p("")
	p("Try:")
	p("  %s client%s", os.Args[0], clientPort(native))
	p("  curl http://%s/ --data 'SELECT country, count(), uniq(user_id) FROM events GROUP BY country ORDER BY 2 DESC LIMIT 5'", http)
	p("  http://%s/play", http)
	if d.nodes != nil {
		d.welcomeCluster(p)
	}
	p("Tables: events, its rollups events_by_minute and pages_by_hour, and events_queue, the Kafka source. Ctrl-C stops.")
	p("")
}

// clientPort is the option that leads the client to an address; none for its default.
func clientPort(addr string) string {
	if _, port, err := net.SplitHostPort(addr); err == nil && port != "9000" {
		return " --port " + port
	}
	return ""
}

// address shows where something listens, and why not where it was asked to.
func (d *demo) address(what, got, want, why string) {
	note := ""
	if got != want && !strings.HasSuffix(want, ":0") {
		note = fmt.Sprintf("  (%s %s)", want, why)
	}
	fmt.Fprintf(d.out, "  %-22s %s%s\n", what, got, note)
}

// stream produces and reports until ctx or the time is over, then checks what was stored.
func (d *demo) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	if d.opts.length > 0 {
		ctx, cancel = context.WithTimeout(ctx, d.opts.length)
	}
	defer cancel()
	p, err := newProducer(d.broker.addr, d.opts.rate, d.before)
	if err != nil {
		return err
	}
	defer p.close()
	fresh := &freshness{ask: d.ask, samples: p.samples}
	rep := &reporter{out: d.out, ask: d.ask, fresh: fresh}
	var watchers sync.WaitGroup
	watchers.Go(func() { fresh.run(ctx) })
	watchers.Go(func() { rep.run(ctx) })
	err = p.run(ctx)
	cancel()
	watchers.Wait()
	if err != nil {
		return err
	}
	return d.conclude(p)
}

// conclude says what was lost and doubled: nothing.
func (d *demo) conclude(p *producer) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	ends, err := d.broker.ends(ctx)
	if err != nil {
		return err
	}
	v, err := verify(ctx, d.ask, ends)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nstopped: %s events produced in this run, %s rows in events; of the last %d minutes %s rows were checked: %d missing, %d doubled\n",
		grouped(int64(p.sent.Load())), grouped(v.rows), checkedMinutes, grouped(v.checked), v.missing, v.doubled)
	if v.behind > 0 {
		fmt.Fprintf(d.out, "%s events are still in the topic only; the next run takes them\n", grouped(v.behind))
	}
	if v.missing != 0 || v.doubled != 0 {
		return fmt.Errorf("%d rows missing, %d doubled", v.missing, v.doubled)
	}
	return nil
}
