// Package node is one olapd as a Go value: it wires storage, cluster, ingestion, queries and servers together, so that
// the command, the demo and tests run the same thing.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/materialized"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/remote"
	"github.com/olapd/olapd/segment"
	"github.com/olapd/olapd/server"
)

const (
	// Version is the ClickHouse release that olapd behaves like: clients ask for it to know what they may use.
	Version = "26.7.2.1"
	// revision is the protocol revision that goes with it.
	revision = 54460
	// cacheShare is the part of the memory limit, as its denominator, that the cache of segments may take unless told otherwise. It gives way to all else, so it is large: of
	// 50 million rows of hits, the dictionaries of URL, Title and Referer are 7 GB, and with an eighth of 18 GiB four queries over them read and decoded them anew each time.
	cacheShare = 2
	// garbageShare is the part of the memory limit, as its denominator, of which garbage may gather until it is collected; minGarbage is what may anyway.
	garbageShare, minGarbage = 64, 32 << 20
)

// storeDir holds what Raft groups store, below the data directory.
const storeDir = "store"

// Node is a running olapd. Its methods are safe for concurrent use.
type Node struct {
	cfg     Config
	log     *slog.Logger
	budget  *mem.Budget
	cluster *cluster.Node
	shards  *shards
	writer  *writer
	engine  *query.Engine
	backups backups
	sources *sources
	wides   wides
	mover   *mover      // nil: the node is alone
	views   *refresher  // nil: it has not begun
	idle    *idler      // nil: it has not begun
	drain   func()      // lets what runs of other nodes' queries end, and takes no more; nil: there is none yet
	stopped func()      // ends the reloads of dictionaries, and waits; nil: they have not begun
	network *network    // nil: the node is alone
	ready   atomic.Bool // it answers other nodes
	listens atomic.Bool // addrs are known
	server  *server.Server
	addrs   struct{ http, native, https, nativeTLS, admin string }
	lock    interface{ Close() error }
}

// Open starts a node over cfg.Data and returns when it serves: everything acknowledged before is readable. Whatever
// it started it has stopped again if it fails.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	n := &Node{cfg: cfg}
	if err := n.defaults(); err != nil {
		return nil, err
	}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) defaults() error {
	if n.cfg.FS == nil {
		fsys, err := vfs.FaultsFromEnv(vfs.Disk())
		if err != nil {
			return err
		}
		n.cfg.FS = fsys
	}
	if n.cfg.Clock == nil {
		n.cfg.Clock = clock.Real()
	}
	if n.cfg.TimeZone == "" {
		n.cfg.TimeZone = "UTC"
	}
	if n.cfg.Name == "" {
		n.cfg.Name = "olapd"
	}
	if n.log = n.cfg.Logger; n.log == nil {
		level, err := n.cfg.level()
		if err != nil {
			return err
		}
		n.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	}
	if n.cfg.Memory == 0 {
		n.cfg.Memory = machineMemory() / 4 * 3
	}
	if n.cfg.logRows == 0 {
		n.cfg.logRows = cluster.LogRowsBytes
	}
	if n.cfg.Cache == 0 {
		n.cfg.Cache = n.cfg.Memory / cacheShare
	}
	// What is accounted for is most of the heap; the collector works harder rather than let garbage take the rest.
	debug.SetMemoryLimit(n.cfg.Memory + n.cfg.Memory/8)
	n.budget = mem.NewBudget("total", n.cfg.Memory)
	if os.Getenv("GOGC") == "" {
		mem.PaceCollector(max(n.cfg.Memory/garbageShare, minGarbage))
	}
	return nil
}

func (n *Node) start(ctx context.Context) error {
	started := n.cfg.Clock.Now()
	if err := n.makeData(); err != nil {
		return fmt.Errorf("data directory %s: %w", n.cfg.Data, err)
	}
	lock, err := n.cfg.FS.Lock(n.cfg.Data)
	if err != nil {
		return fmt.Errorf("data directory %s is in use: %w", n.cfg.Data, err)
	}
	n.lock = lock
	n.idle = n.keepIdle()
	if err := n.keepZone(); err != nil {
		return err
	}
	temp, err := spill.Open(n.cfg.FS, filepath.Join(n.cfg.Data, "tmp"))
	if err != nil {
		return err
	}
	if err := n.openNetwork(ctx); err != nil {
		return err
	}
	if n.network != nil {
		n.network.serve()
	}
	zone := n.cfg.zone()
	specs := newSpecs(zone)
	cache := segment.NewCache(n.cfg.Cache, n.budget)
	n.budget.Yields(cache.GiveWay)
	settings := cluster.Config{
		FS: n.cfg.FS, Dir: filepath.Join(n.cfg.Data, storeDir), Specs: specs.compile, Clock: n.cfg.Clock, Budget: n.budget,
		Logger: n.log, Cache: cache, LogSegment: n.cfg.LogFile, SnapshotBytes: n.cfg.SnapshotLog,
		Node: n.cfg.node, Network: n.cfg.Network, Pause: n.cfg.pause, CommitInterval: n.cfg.commitInterval, LevelsBehind: n.cfg.levelsBehind,
	}
	for _, fence := range n.cfg.fences {
		settings.SwitchOff(fence)
	}
	n.cluster, err = cluster.Open(ctx, settings)
	if err != nil {
		return err
	}
	spare, err := openScratch(n.cfg.FS, n.cfg.Data)
	if err != nil {
		return fmt.Errorf("scratch directory: %w", err)
	}
	if err := n.ensureDeadLetters(ctx, started.UnixNano()); err != nil {
		return err
	}
	st := &store{node: n}
	n.shards = &shards{cluster: n.cluster, alone: n.cfg.Network == nil, specs: specs}
	info := function.Server{Version: Version, Revision: revision, DisplayName: n.cfg.Name, Started: started, Clock: n.cfg.Clock.Now}
	deriver := materialized.New(materialized.Options{Snapshot: st.whole,
		Clock: n.cfg.Clock, Zone: zone, Server: info, Budget: n.budget, Dictionaries: n.dictionaries})
	n.writer = &writer{node: n, deriver: deriver}
	n.backups.places = n.cfg.backupPlaces()
	n.sources = &sources{node: n, deriver: deriver, clock: n.cfg.Clock, budget: n.budget, log: n.log}
	host, _ := os.Hostname() // only shown
	users, err := n.cfg.users()
	if err != nil {
		return err
	}
	hosts := &remote.Reach{Hosts: n.cfg.RemoteHosts, Own: n.listening}
	others := &replicas{cluster: n.cluster, net: n.cfg.Network}
	n.engine, err = query.New(query.Deps{
		Cluster: others.unlessAlone(), Operator: n, Mutator: n, Mover: n, Backups: n, Files: n.cfg.reach(hosts),
		Schemas: n.cfg.schemas(),
		Remote:  hosts,
		Access:  accesses{n.cluster.Meta()}, Users: users, Resolver: resolver{},
		Catalog: catalogs{n}, Store: st, Writer: n.writer,
		Providers: n.providers(), Budget: n.budget, Temp: temp, Clock: n.cfg.Clock, Logger: n.log, Zone: zone, Host: host, Server: info, Settings: n.cfg.Settings, CustomSettings: n.cfg.CustomSettings, Scratch: spare.create,
	})
	if err != nil {
		return err
	}
	n.drain = others.serve(n.engine, n.cfg.Clock)
	if n.cfg.Network != nil {
		n.cfg.Network.Handle(methodShard, n.serveShard)
		n.cfg.Network.Handle(methodBackup, n.serveBackup)
		n.cfg.Network.Handle(methodAsk, n.serveAsk)
		n.cfg.Network.Handle(methodPause, n.servePause)
		n.cfg.Network.Handle(methodSchema, n.serveSchema)
		n.mover = &mover{n: n}
		n.mover.start()
	}
	n.startDictionaries()
	n.views = &refresher{n: n}
	n.views.start()
	n.ready.Store(true)
	n.sources.start()
	if err := n.listen(zone); err != nil {
		return err
	}
	n.listens.Store(true)
	if n.network != nil {
		if err := n.network.start(ctx); err != nil {
			return err
		}
	}
	n.log.Info("olapd is ready", "http", n.addrs.http, "native", n.addrs.native, "https", n.addrs.https, "native_tls", n.addrs.nativeTLS, "data", n.cfg.Data, "took", n.cfg.Clock.Since(started).Round(time.Millisecond))
	return nil
}

// listening are the addresses of the native protocol, once the node listens.
func (n *Node) listening() []string {
	if !n.listens.Load() {
		return nil
	}
	return []string{n.addrs.native, n.addrs.nativeTLS}
}

// makeData makes the data directory, if it is missing, durably: a node that came back without it would begin anew, or vote twice. Folders
// above it that the node may not open were there before it.
func (n *Node) makeData() error {
	if err := n.cfg.FS.MkdirAll(n.cfg.Data); err != nil {
		return err
	}
	for dir := filepath.Dir(filepath.Clean(n.cfg.Data)); ; dir = filepath.Dir(dir) {
		if err := n.cfg.FS.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// keepZone holds the time zone to what the data was written with: keys and partitions depend on it.
func (n *Node) keepZone() error {
	name := filepath.Join(n.cfg.Data, "timezone")
	b, err := vfs.ReadFile(n.cfg.FS, name)
	if vfs.IsNotExist(err) {
		return vfs.WriteFileAtomic(n.cfg.FS, name, []byte(n.cfg.TimeZone))
	}
	if err != nil {
		return err
	}
	if string(b) != n.cfg.TimeZone {
		return fmt.Errorf("the data in %s was written with time zone %s; it cannot be opened with %s", n.cfg.Data, b, n.cfg.TimeZone)
	}
	return nil
}

func (n *Node) listen(zone *time.Location) error {
	n.server = server.New(server.Config{
		Engine: n.engine, DisplayName: n.cfg.Name, Version: Version, Zone: zone, Clock: n.cfg.Clock, Logger: n.log,
		Replicas: n.lags, Healthy: n.healthy, Metrics: n.metrics,
	})
	encrypted := func(l net.Listener) net.Listener { return l }
	if n.cfg.TLSCert != "" {
		certificate, err := server.LoadCertificate(n.cfg.FS, n.cfg.Clock, n.log, n.cfg.TLSCert, n.cfg.TLSKey)
		if err != nil {
			return err
		}
		encrypted = certificate.Listen
	}
	for _, l := range []struct {
		addr  string
		serve func(net.Listener)
		shown *string
	}{
		{n.cfg.HTTP, n.server.Serve, &n.addrs.http},
		{n.cfg.Native, n.server.ServeNative, &n.addrs.native},
		{n.cfg.HTTPS, func(l net.Listener) { n.server.Serve(encrypted(l)) }, &n.addrs.https},
		{n.cfg.NativeTLS, func(l net.Listener) { n.server.ServeNative(encrypted(l)) }, &n.addrs.nativeTLS},
		{n.cfg.Admin, n.server.ServeAdmin, &n.addrs.admin},
	} {
		if l.addr == "" {
			continue
		}
		ln, err := net.Listen("tcp", l.addr)
		if errors.Is(err, syscall.EADDRINUSE) && l.shown == &n.addrs.native && l.addr == DefaultNative {
			n.log.Warn("native clients are not served: something else listens there; set native to another address", "address", l.addr)
			continue
		}
		if err != nil {
			return err
		}
		*l.shown = ln.Addr().String()
		l.serve(ln)
	}
	return nil
}

// HTTPAddr is where the HTTP interface listens, host:port; empty if it does not.
func (n *Node) HTTPAddr() string { return n.addrs.http }

// NativeAddr is where the native protocol is served, host:port; empty if it is not.
func (n *Node) NativeAddr() string { return n.addrs.native }

// HTTPSAddr is where the HTTP interface is served over TLS, host:port; empty if it is not.
func (n *Node) HTTPSAddr() string { return n.addrs.https }

// NativeTLSAddr is where the native protocol is served over TLS, host:port; empty if it is not.
func (n *Node) NativeTLSAddr() string { return n.addrs.nativeTLS }

// Engine returns the query engine, for use within the process.
func (n *Node) Engine() *query.Engine { return n.engine }

// Kafka returns the state of every consumer.
func (n *Node) Kafka() []ingest.Status {
	var out []ingest.Status
	for _, c := range n.sources.status() {
		out = append(out, c.Status)
	}
	return out
}

// healthy returns why writes fail, or nil.
func (n *Node) healthy() error {
	errs := []error{n.cluster.Meta().Err()}
	for _, r := range n.cluster.Shards() {
		errs = append(errs, r.Err())
	}
	return errors.Join(errs...)
}

// Close stops everything in the order in which it depends on each other, and waits.
func (n *Node) Close() error {
	var errs []error
	var drained sync.WaitGroup
	if n.drain != nil {
		drained.Go(n.drain)
	}
	if n.server != nil {
		n.log.Info("olapd is stopping; running requests may end")
		errs = append(errs, n.server.Close())
	}
	drained.Wait()
	if n.views != nil {
		n.views.close()
	}
	if n.engine != nil {
		n.engine.Close()
	}
	if n.mover != nil {
		n.mover.close()
	}
	if n.stopped != nil {
		n.stopped()
	}
	if n.sources != nil && n.sources.stop != nil {
		n.sources.close()
	}
	if n.network != nil {
		n.network.close()
	}
	if n.cluster != nil {
		errs = append(errs, n.cluster.Close())
	}
	if n.network != nil {
		errs = append(errs, n.network.shut())
	}
	if n.idle != nil {
		n.idle.close()
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	if n.server != nil {
		n.log.Info("olapd has stopped")
	}
	return errors.Join(errs...)
}
