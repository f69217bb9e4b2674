package rpc

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
)

const (
	// streamWindow is how many bytes of a stream may be under way before Send waits, connWindow of all streams of a connection: at 1 ms between
	// nodes enough for a gigabyte a second and stream.
	streamWindow = 1 << 20
	connWindow   = 16 << 20
	// aliveAfter is how long a connection may be silent before the other side is asked whether it is there, aliveTimeout how long it has for its
	// answer: a node without power is noticed after both.
	aliveAfter   = 10 * time.Second
	aliveTimeout = 5 * time.Second
	// dialTimeout bounds the making of a connection, with its handshake.
	dialTimeout = 3 * time.Second
	// firstRedial and lastRedial are between attempts to connect: a node that comes back is found at once.
	firstRedial = 50 * time.Millisecond
	lastRedial  = time.Second
	// service is in front of a method's name on the wire.
	service = "/olapd/"
)

// GRPCConfig is what a GRPC network works with.
type GRPCConfig struct {
	Self string
	// Credentials proves who nodes are. It is asked for each connection, so that renewed certificates are used.
	Credentials func() Credentials
	// Resolve returns the address of a node, host:port. It is asked for each connection.
	Resolve func(node string) (string, error)
	// Urgent are methods with connections of their own, so that their messages do not wait behind those of others in the buffers of
	// the system.
	Urgent []string
	// Stranger gets incoming connections for which Credentials.Stranger holds; nil: they are closed. It closes them.
	Stranger func(ctx context.Context, conn net.Conn)
}

// GRPC is the network between processes: gRPC streams over TLS with certificates on both sides. All methods may be called from any
// goroutine.
type GRPC struct {
	cfg    GRPCConfig
	local  *MemoryNode // streams to this node itself
	server *grpc.Server
	ctx    context.Context // of strangers; ends with Close
	end    context.CancelFunc
	work   sync.WaitGroup

	mu struct {
		sync.Mutex
		handlers map[string]Handler
		conns    map[connKey]*grpc.ClientConn
		closed   bool
	}
}

// connKey names a connection: to a node, apart for each urgent method.
type connKey struct{ node, urgent string }

var _ Network = (*GRPC)(nil)

// NewGRPC returns a network that opens streams; Serve lets it accept them.
func NewGRPC(cfg GRPCConfig) *GRPC {
	g := &GRPC{cfg: cfg, local: NewMemory(clock.Real(), 0).Node(cfg.Self)}
	g.ctx, g.end = context.WithCancel(context.Background())
	g.mu.handlers, g.mu.conns = map[string]Handler{}, map[connKey]*grpc.ClientConn{}
	g.server = grpc.NewServer(
		grpc.Creds(&serverCredentials{g: g}), grpc.ForceServerCodecV2(rawCodec{}), grpc.UnknownServiceHandler(g.handle),
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage), grpc.StaticStreamWindowSize(streamWindow), grpc.StaticConnWindowSize(connWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: aliveAfter, Timeout: aliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: aliveAfter / 2, PermitWithoutStream: true}),
		grpc.ConnectionTimeout(dialTimeout), grpc.WaitForHandlers(true),
	)
	return g
}

// Serve accepts streams of other nodes until Close, and then returns nil. It closes the listener.
func (g *GRPC) Serve(ln net.Listener) error {
	err := g.server.Serve(ln)
	if errors.Is(err, grpc.ErrServerStopped) || g.ctx.Err() != nil {
		return nil
	}
	return err
}

// Close ends all streams, and returns when all handlers have.
func (g *GRPC) Close() error {
	g.mu.Lock()
	conns := g.mu.conns
	g.mu.conns, g.mu.closed = nil, true
	g.mu.Unlock()
	g.end()
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.Close())
	}
	g.server.Stop()
	g.work.Wait()
	return errors.Join(append(errs, g.local.Close())...)
}

// Self implements Network.
func (g *GRPC) Self() string { return g.cfg.Self }

// Handle implements Network.
func (g *GRPC) Handle(method string, h Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.handlers[method] = h
	g.local.Handle(method, h)
}

// Open implements Network. A node that is being connected to is waited for, for dialTimeout at most.
func (g *GRPC) Open(ctx context.Context, node, method string) (Stream, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if node == g.cfg.Self {
		return g.local.Open(ctx, node, method)
	}
	conn, err := g.conn(node, method)
	if err != nil {
		return nil, err
	}
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, service+method)
	if err != nil {
		return nil, clientError(ctx, node, err, nil)
	}
	return &clientStream{ctx: ctx, node: node, s: s}, nil
}

// conn returns the connection to a node for a method.
func (g *GRPC) conn(node, method string) (*grpc.ClientConn, error) {
	key := connKey{node: node}
	if slices.Contains(g.cfg.Urgent, method) {
		key.urgent = method
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.closed {
		return nil, unreachable(node, errors.New("this node is shutting down"))
	}
	if c := g.mu.conns[key]; c != nil {
		return c, nil
	}
	c, err := grpc.NewClient("passthrough:///"+node,
		grpc.WithContextDialer(func(ctx context.Context, node string) (net.Conn, error) { return g.dial(ctx, node) }),
		grpc.WithTransportCredentials(&clientCredentials{g: g, node: node}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithStaticStreamWindowSize(streamWindow), grpc.WithStaticConnWindowSize(connWindow),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: aliveAfter, Timeout: aliveTimeout, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: firstRedial, Multiplier: 2, Jitter: 0.2, MaxDelay: lastRedial}, MinConnectTimeout: dialTimeout}),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDisableHealthCheck(),
	)
	if err != nil {
		return nil, unreachable(node, err)
	}
	g.mu.conns[key] = c
	return c, nil
}

func (g *GRPC) dial(ctx context.Context, node string) (net.Conn, error) {
	address, err := g.cfg.Resolve(node)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// handle is called by gRPC for every stream.
func (g *GRPC) handle(_ any, s grpc.ServerStream) error {
	ctx := s.Context()
	name, _ := grpc.MethodFromServerStream(s)
	from, err := peerName(ctx)
	if err != nil {
		return err
	}
	h := g.handlerOf(name)
	if h == nil {
		return handlerError(s, sqlerr.New(sqlerr.UnsupportedMethod, "Node %s has no method %s", g.cfg.Self, name))
	}
	return handlerError(s, h(ctx, from, &serverStream{ctx: ctx, node: from, s: s}))
}

// handlerOf returns what answers a method as it is called on the wire, or nil.
func (g *GRPC) handlerOf(name string) Handler {
	if len(name) < len(service) || name[:len(service)] != service {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.handlers[name[len(service):]]
}
