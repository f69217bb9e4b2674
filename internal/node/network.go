package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	// defaultClusterPort is where nodes listen for each other unless told otherwise.
	defaultClusterPort = "9010"
	// joinPatience is how long a new node tries to reach the cluster, joinPause between attempts.
	joinPatience = time.Minute
	joinPause    = 200 * time.Millisecond
	// announceRetry is between attempts to tell the cluster where this node is, renewCheck between looks at the certificate.
	announceRetry = 2 * time.Second
	renewCheck    = time.Hour
)

// network is this node's place in its cluster: who it is, and how it reaches the others.
type network struct {
	node  *Node
	id    *identity.Identity // touched by start, then by follow alone
	rpc   *rpc.GRPC
	ln    net.Listener
	creds atomic.Pointer[identity.Config]
	peers atomic.Pointer[map[string]string] // addresses that the topology did not know yet

	stop context.CancelFunc
	done chan struct{}
}

// openNetwork finds out who this node is: alone, a member of a cluster since its last start, or one that is to join now.
func (n *Node) openNetwork(ctx context.Context) error {
	if n.cfg.Network != nil {
		return nil // a test's
	}
	id, err := identity.Load(n.cfg.FS, n.cfg.Data)
	if err != nil {
		return err
	}
	if id == nil && n.cfg.Join == "" {
		return nil
	}
	listen := n.cfg.Cluster
	if listen == "" {
		listen = net.JoinHostPort("", defaultClusterPort)
		if id != nil {
			listen = id.Address
		}
	}
	if id == nil {
		if id, err = n.join(ctx, listen); err != nil {
			return err
		}
	}
	w := &network{node: n, id: id}
	w.peers.Store(&id.Peers)
	if err := w.trust(); err != nil {
		return err
	}
	if w.ln, err = net.Listen("tcp", listen); err != nil {
		return fmt.Errorf("listening for other nodes: %w", err)
	}
	w.rpc = rpc.NewGRPC(rpc.GRPCConfig{Self: id.Node, Credentials: func() rpc.Credentials { return w.creds.Load() }, Resolve: w.resolve,
		Urgent: cluster.UrgentMethods(), Stranger: w.admit})
	n.network, n.cfg.Network, n.cfg.node = w, w.rpc, id.Node
	for _, method := range []string{methodShard, methodFragment} {
		w.rpc.Handle(method, func(context.Context, string, rpc.Stream) error {
			return sqlerr.New(sqlerr.NetworkError, "Node %s is starting", id.Node)
		})
	}
	return nil
}

// join makes this node a member of the cluster that listens where the config says.
func (n *Node) join(ctx context.Context, listen string) (*identity.Identity, error) {
	if n.cfg.Token == "" {
		return nil, errors.New("joining a cluster needs a token: `olapd cluster token` on a node of the cluster makes one")
	}
	if err := n.checkEmpty(); err != nil {
		return nil, err
	}
	address, err := n.advertised(ctx, listen)
	if err != nil {
		return nil, err
	}
	id, err := n.ask(ctx, address)
	if err != nil {
		return nil, err
	}
	n.log.Info("joined a cluster", "cluster", id.Cluster, "node", id.Node, "address", address)
	return id, id.Save(n.cfg.FS, n.cfg.Data)
}

// ask asks to join, again while nobody answers: nodes of a new cluster are started at the same time.
func (n *Node) ask(ctx context.Context, address string) (*identity.Identity, error) {
	deadline := n.cfg.Clock.Now().Add(joinPatience)
	for {
		id, err := identity.Join(ctx, n.cfg.Join, n.cfg.Token, address, int(feature.Current))
		var refused *net.OpError
		if err == nil || !errors.As(err, &refused) || !n.cfg.Clock.Now().Before(deadline) {
			return id, err
		}
		if err := n.cfg.Clock.Sleep(ctx, joinPause); err != nil {
			return nil, err
		}
	}
}

// checkEmpty refuses to join with data: it would not be the cluster's.
func (n *Node) checkEmpty() error {
	names, err := n.cfg.FS.List(n.cfg.Data)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == storeDir {
			return fmt.Errorf("data directory %s holds data of a node alone, which would not be part of the cluster: join with an empty directory", n.cfg.Data)
		}
	}
	return nil
}

// advertised is the address at which others reach this node: as configured, or that of the interface that leads to the cluster.
func (n *Node) advertised(ctx context.Context, listen string) (string, error) {
	if n.cfg.Advertise != "" {
		return n.cfg.Advertise, nil
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("address for other nodes: %w", err)
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen, nil
	}
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", n.cfg.Join)
	if err != nil {
		return "", fmt.Errorf("joining the cluster at %s: %w", n.cfg.Join, err)
	}
	defer conn.Close()
	local, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return net.JoinHostPort(local, port), err
}

// trust uses the identity for connections from now on.
func (w *network) trust() error {
	c, err := w.id.TLS(w.node.cfg.Clock.Now)
	if err != nil {
		return err
	}
	w.creds.Store(c)
	return nil
}

// resolve returns a node's address: as the meta group says or, before it has spoken, as it did before the restart.
func (w *network) resolve(name string) (string, error) {
	if c := w.node.cluster; c != nil {
		if m := c.Topology().Member(name); m != nil && m.Address != "" {
			return m.Address, nil
		}
	}
	if at := (*w.peers.Load())[name]; at != "" {
		return at, nil
	}
	return "", sqlerr.New(sqlerr.NetworkError, "The address of node %s is not known", name)
}

// admit lets a new node join.
func (w *network) admit(ctx context.Context, conn net.Conn) {
	err := identity.ServeJoin(ctx, conn, w.node.cfg.Clock.Now, func(ctx context.Context, secret, address string, level int) (*identity.Admission, error) {
		for !w.node.ready.Load() {
			if err := w.node.cfg.Clock.Sleep(ctx, joinPause); err != nil {
				return nil, sqlerr.New(sqlerr.NetworkError, "Node %s is starting", w.id.Node)
			}
		}
		return w.node.cluster.Meta().Admit(ctx, secret, address, feature.Level(level))
	})
	if err != nil {
		w.node.log.Warn("a node could not join", "from", conn.RemoteAddr(), "error", err)
	}
}

// serve accepts other nodes.
func (w *network) serve() {
	w.done = make(chan struct{})
	go func() {
		defer close(w.done)
		if err := w.rpc.Serve(w.ln); err != nil {
			w.node.log.Error("listening for other nodes", "error", err)
		}
	}()
}

// start founds the cluster, if this node is to, and keeps the cluster informed of where this node is, and this node of where the others are.
func (w *network) start(ctx context.Context) error {
	if f := w.id.Founding; f != nil {
		if w.node.cluster.Topology().Alone() {
			err := w.node.cluster.Found(ctx, cluster.Founding{Cluster: w.id.Cluster, Address: w.id.Address, Shards: f.Shards, Replicas: f.Replicas,
				ReplaceAfter: f.ReplaceAfter, CA: w.id.CA, CAKey: f.CAKey, Tokens: f.Tokens})
			if err != nil {
				return fmt.Errorf("founding the cluster: %w", err)
			}
		}
		w.id.Founding = nil
		if err := w.id.Save(w.node.cfg.FS, w.node.cfg.Data); err != nil {
			return err
		}
	}
	background, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.stop = func() { stop(); <-done }
	go func() {
		defer close(done)
		w.announce(background)
		w.follow(background)
	}()
	return nil
}

// announce tells the cluster this node's addresses, until it has heard.
func (w *network) announce(ctx context.Context) {
	n := w.node
	if n.cfg.Advertise != "" {
		w.id.Address = n.cfg.Advertise
	}
	for {
		err := n.cluster.Meta().Announce(ctx, w.id.Node, w.id.Address, n.addrs.http, n.addrs.native)
		if err == nil || ctx.Err() != nil {
			return
		}
		n.log.Warn("telling the cluster where this node is", "error", err)
		if n.cfg.Clock.Sleep(ctx, announceRetry) != nil {
			return
		}
	}
}

// follow keeps the other nodes' addresses for the next start, and renews the certificate in time: every node holds the authority's key.
func (w *network) follow(ctx context.Context) {
	n := w.node
	tick := n.cfg.Clock.NewTicker(renewCheck)
	defer tick.Stop()
	for {
		changed := n.cluster.Meta().Changed()
		if err := w.remember(); err != nil {
			n.log.Error("keeping what this node knows of its cluster", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C():
		}
	}
}

// remember saves the identity if something in it has changed.
func (w *network) remember() error {
	n, t := w.node, w.node.cluster.Topology()
	peers := map[string]string{}
	for _, m := range t.Nodes {
		if m.Name != w.id.Node && m.Address != "" {
			peers[m.Name] = m.Address
		}
	}
	renew := w.id.RenewDue(n.cfg.Clock.Now()) && len(t.Trust.CAKey) > 0
	if t.Alone() || maps.Equal(peers, w.id.Peers) && !renew {
		return nil
	}
	next := *w.id
	if renew {
		issued, err := identity.Issue(w.id.Cluster, w.id.Node, t.Trust.CA, t.Trust.CAKey, n.cfg.Clock.Now())
		if err != nil {
			return err
		}
		next.Cert, next.Key = issued.Cert, issued.Key
	}
	next.Peers = peers
	if err := next.Save(n.cfg.FS, n.cfg.Data); err != nil {
		return err
	}
	w.id = &next
	w.peers.Store(&next.Peers)
	return w.trust()
}

// close stops to follow; shut, later, the network itself.
func (w *network) close() {
	if w.stop != nil {
		w.stop()
	}
}

func (w *network) shut() error {
	err := w.rpc.Close()
	if w.done != nil {
		<-w.done
	} else {
		err = errors.Join(err, w.ln.Close())
	}
	return err
}
