package query

import (
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/fragment"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// Engine executes statements. It is safe for concurrent use.
type Engine struct {
	deps  Deps
	procs processes
	log   queryLog
	// backups are those of this engine.
	backups backupLog
	base    *settings.Values
	slots   *exec.Slots
	unions  *grouping.Unions
	// remote opens queries on other nodes; nil on a node alone.
	remote *fragment.Client
	// shuffles is where fragments meet those of other nodes; nil on a node alone.
	shuffles *fragment.Shuffles
	gate     gate
	dicts    *dictionary.Registry
	// quotas count what users take.
	quotas quotas
	behind behind
}

// slotsPerProcessor is how many workers there are for each processor before a query gets no more than one: while one waits for a file
// another has something to do.
const slotsPerProcessor = 2

// unionsShare is the part of the process's memory, as one over it, that may keep how dictionaries number each other's values: a quarter of what
// decoded pages and dictionaries have, which take ten times as many bytes for a value. unionsBytes is that without a limit of memory.
const (
	unionsShare = 32
	unionsBytes = 256 << 20
)

// newUnions returns an empty collection within the process's memory.
func newUnions(b *mem.Budget) *grouping.Unions {
	limit := int64(unionsBytes)
	if b != nil && b.Limit() < mem.NoLimit {
		limit = b.Limit() / unionsShare
	}
	return grouping.NewUnions(limit, b)
}

// New returns an engine. Close ends what statements leave to be done behind them; without such statements it is not needed. BadArguments and UnknownSetting if Deps.Settings are wrong.
func New(d Deps) (*Engine, error) {
	if d.Clock == nil {
		d.Clock = clock.Real()
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	if d.MaxQueries <= 0 {
		d.MaxQueries = defaultMaxQueries
	}
	if d.Server.Clock == nil {
		d.Server.Clock = d.Clock.Now
	}
	e := &Engine{deps: d, base: settings.New(), slots: exec.NewSlots(slotsPerProcessor * runtime.GOMAXPROCS(0)), unions: newUnions(d.Budget)}
	if d.Cluster != nil {
		e.shuffles = fragment.NewShuffles(d.Cluster, d.Clock)
		e.remote = fragment.NewClient(d.Cluster, d.Clock, e.shuffles)
	}
	e.base.AllowCustom(d.CustomSettings)
	if err := e.base.SetAll(d.Settings); err != nil {
		return nil, err
	}
	e.gate.init(&e.deps)
	e.dicts = dictionary.NewRegistry(dictionary.Options{Loader: dictionaryLoader{e}, Budget: d.Budget, Clock: d.Clock, Logger: d.Logger})
	e.procs.max = d.MaxQueries
	e.procs.mu.byID = map[string]*running{}
	e.deps.Providers.Processes = e.procs.list
	e.deps.Providers.QueryLog = e.log.entries
	e.deps.Providers.Errors = e.log.errors
	e.deps.Providers.Backups = e.backups.entries
	e.deps.Providers.Dictionaries = e.dicts.Infos
	if e.deps.Providers.Events == nil {
		e.deps.Providers.Events = e.log.events
	}
	e.deps.Providers.QuotaUses = func(user string) []virtual.QuotaUse {
		en, err := e.gate.state().Enable(user, nil)
		if err != nil {
			return nil // the user was dropped meanwhile
		}
		return e.quotas.uses(en, e.deps.Clock.Now())
	}
	return e, nil
}

// NewSession opens a session. Sessions hold no resources of the engine; one that is no longer used is garbage. The user must be
// known: clients name one that Authenticate returned.
func (e *Engine) NewSession(o SessionOptions) (*Session, error) {
	if o.User == "" {
		o.User = "default"
	}
	s := &Session{e: e, o: o}
	s.mu.roles = o.Roles
	s.temps = newTemporaries(s, e.deps.Budget)
	en, err := s.enabled()
	if err != nil {
		return nil, err
	}
	if o.Database == "" {
		o.Database = en.User.DefaultDatabase
	}
	if o.Database == "" {
		o.Database = "default"
	}
	set := e.base.Clone()
	if err := set.Profile(en.Settings); err != nil {
		return nil, err
	}
	if err := set.SetAll(o.Settings); err != nil {
		return nil, err
	}
	s.mu.database, s.mu.set = o.Database, set
	return s, nil
}

// Settings are the session's, with which the next statement begins; they are not to be changed.
func (s *Session) Settings() *settings.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.set
}

// Kill cancels the running query of an id; false if there is none.
func (e *Engine) Kill(id string) bool {
	q := e.procs.find(id)
	if q != nil {
		q.stop(killed())
	}
	return q != nil
}

// Running returns how many queries run.
func (e *Engine) Running() int { return len(e.procs.list()) }

// Session is one client's state: current database and settings. Execute may be called concurrently; USE and SET
// take effect for statements that begin later.
type Session struct {
	e     *Engine
	o     SessionOptions
	temps *temporaries
	own   *access.Enabled // of a session of the server itself; nil: the user's
	mu    struct {
		sync.Mutex
		database string
		set      *settings.Values
		roles    []string        // of SET ROLE; nil: the default ones
		access   *access.Enabled // of the state it was made from; nil: not yet
	}
}

// Database returns the current database.
func (s *Session) Database() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.database
}

// threads is how many workers a query has.
func threads(v *settings.Values) int {
	const most = 512 // workers; more only cost memory
	if n := settings.MaxThreads.Of(v); n > 0 {
		return int(min(n, most))
	}
	return runtime.GOMAXPROCS(0)
}
