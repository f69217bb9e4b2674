package torture

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

var (
	serverFlag = flag.String("server", "", "olapd binary to torture")
	killsFlag  = flag.Int("kills", 30, "how often to kill it")
	rateFlag   = flag.Int("rate", 5000, "Kafka messages a second")
	seedFlag   = flag.Uint64("seed", 0, "of all random choices; 0: a new one")
)

const (
	// readyTimeout is far more than a restart may take: what takes longer is stuck.
	readyTimeout = 30 * time.Second
	// lifetime is how long olapd lives at most before it is killed, armedLifetime how long it is given to reach a kill point.
	lifetime, armedLifetime = 2500 * time.Millisecond, 4 * time.Second
	// earlyWithin: of the random kills one in earlyEvery comes this soon after the start.
	earlyWithin, earlyEvery = 250 * time.Millisecond, 4
	// brokerEvery is how many cycles lie between two stops of the broker.
	brokerEvery = 6
	// fullEvery: every so many cycles all inserts are checked, else those of the last few.
	fullEvery, recentCycles = 25, 4
	writers                 = 3 // of HTTP inserts
	// operateEvery is the pause between two flushes or merges that are asked for.
	operateEvery = 100 * time.Millisecond
)

// smallFiles makes log files and Raft snapshots come and go within a life.
var smallFiles = []string{"--log-file", "1MiB", "--snapshot-log", "1MiB"}

func TestMain(m *testing.M) {
	if dir := os.Getenv(brokerDirEnv); dir != "" {
		if err := brokerMain(dir, os.Getenv(brokerAddrEnv)); err != nil {
			fmt.Fprintln(os.Stderr, "broker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// torture is one run.
type torture struct {
	*testing.T
	r      *rand.Rand
	dir    string
	http   string
	at     *olapd.Server // whichever process serves it
	srv    *olapd.Server // the one that runs
	broker *broker
	names  names
	cycle  atomic.Int64
	ledger *ledger
	clean  *kafkaLoad
	mixed  *kafkaLoad
	// What was visible at the last check.
	events, letters *offsets

	deaths     deaths
	points     []killPoint     // to come, before all of them come again
	ready      []time.Duration // from start to first answer
	slowest    string          // what is known of the longest
	checks     int
	brokerDown [2]int // by SIGTERM, by SIGKILL
}

func TestTorture(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary to torture, -kills how often (make torture, make torture-short)")
	}
	x, seed := newTorture(t)
	start := time.Now()
	x.setUp(seed)
	stop := x.startLoad(seed)
	for int(x.cycle.Load()) < *killsFlag && !t.Failed() {
		x.oneCycle()
		x.cycle.Add(1)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	x.conclude()
	x.figures(time.Since(start))
}

func newTorture(t *testing.T) (*torture, uint64) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	x := &torture{T: t, r: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), events: &offsets{name: "events"}, letters: &offsets{name: "mixed"}}
	x.deaths.points, x.deaths.missed = map[string]int{}, map[string]int{}
	x.ledger = newLedger(func() int { return int(x.cycle.Load()) })
	return x, seed
}

// TestSeesRollback gives olapd the directory of some seconds ago: Kafka's rows come again by themselves, inserts that were acknowledged are
// gone, and the checks must say so. It is the proof that the torture would notice.
func TestSeesRollback(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary")
	}
	x, seed := newTorture(t)
	x.setUp(seed)
	stop := x.startLoad(seed)
	var dirs [2]string
	for i := range dirs {
		x.launch("")
		x.must(x.awaitReady("SELECT count() FROM events"))
		sleep(t.Context(), time.Second)
		x.report(0, x.check(0, true))
		x.kill()
		dirs[i] = filepath.Join(x.dir, fmt.Sprint("copy-", i))
		x.must(os.CopyFS(dirs[i], os.DirFS(filepath.Join(x.dir, "olapd"))))
	}
	x.must(stop())
	x.must(os.RemoveAll(filepath.Join(x.dir, "olapd")))
	x.must(os.Rename(dirs[0], filepath.Join(x.dir, "olapd")))
	x.launch("")
	x.must(x.awaitReady("SELECT count() FROM events"))
	if bad := x.check(0, true); !slices.ContainsFunc(bad, func(s string) bool { return strings.HasPrefix(s, "inserts:") && strings.Contains(s, "is gone") }) {
		t.Errorf("a rollback was not seen: %q", bad)
	}
}

// must ends the test on an error.
func (x *torture) must(err error) {
	x.Helper()
	if err != nil {
		if x.srv != nil {
			x.Logf("the server's log ends:\n%s", tail(x.srv.Log()))
		}
		x.Fatal(err)
	}
}

// readyLine is what a server's log says of its start.
func readyLine(log string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "olapd is ready") {
			return strings.TrimSpace(line)
		}
	}
	return "nothing"
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// setUp starts broker and olapd and makes topics and tables.
func (x *torture) setUp(seed uint64) {
	kafkaAddr, err := olapd.FreeAddress()
	x.must(err)
	x.http, err = olapd.FreeAddress()
	x.must(err)
	x.at = olapd.At("http://" + x.http)
	x.broker, err = startBroker(filepath.Join(x.dir, "kafka"), kafkaAddr)
	x.must(err)
	x.Cleanup(func() { _ = x.broker.stop(syscall.SIGKILL) })
	x.names = names{fmt.Sprintf("torture-%d", seed), fmt.Sprintf("torture-%d-mixed", seed)}
	x.must(createTopics(x.Context(), x.broker.addr, partitions, x.names.clean, x.names.mixed))
	x.launch("")
	x.Cleanup(func() { x.srv.Stop() })
	x.must(x.awaitReady("SELECT 1"))
	for _, sql := range schema(x.broker.addr, x.names) {
		_, err := rowsOf(x.Context(), x.srv, sql)
		x.must(err)
	}
	x.kill()
}

// startLoad lets everybody write; the function returned stops them and waits until the topics are complete.
func (x *torture) startLoad(seed uint64) (stop func() error) {
	ctx, cancel := context.WithCancel(x.Context())
	x.clean = &kafkaLoad{topic: x.names.clean, rate: *rateFlag}
	x.mixed = &kafkaLoad{topic: x.names.mixed, rate: max(*rateFlag/20, 10), bad: 10}
	var all sync.WaitGroup
	errs := make([]error, 2)
	for i, l := range []*kafkaLoad{x.clean, x.mixed} {
		all.Go(func() { errs[i] = l.run(ctx, x.broker.addr, seed+uint64(i)) })
	}
	for w := range writers {
		all.Go(func() { x.ledger.httpLoad(ctx, x.at, w, seed) })
	}
	all.Go(func() { x.operate(ctx, seed) })
	return func() error {
		cancel()
		all.Wait()
		return joined(errs)
	}
}

func joined(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// launch starts olapd, with a kill point or "".
func (x *torture) launch(point string) {
	var env []string
	if point != "" {
		env = append(env, point)
	}
	srv, err := olapd.Launch(*serverFlag, filepath.Join(x.dir, "olapd"), x.http, smallFiles, env...)
	x.must(err)
	x.srv = srv
}

// dead tells whether olapd has ended.
func (x *torture) dead() bool {
	select {
	case <-x.srv.Ended():
		return true
	default:
		return false
	}
}

// awaitReady waits until olapd answers a query, or has ended.
func (x *torture) awaitReady(sql string) error {
	var last error
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if x.dead() {
			return nil // oneCycle looks why
		}
		ctx, cancel := context.WithTimeout(x.Context(), readyTimeout)
		_, last = rowsOf(ctx, x.srv, sql)
		cancel()
		if last == nil {
			return nil
		}
	}
	return fmt.Errorf("olapd does not answer %s after %s: %w", sql, readyTimeout, last)
}

func (x *torture) kill() {
	x.srv.Stop()
}

// oneCycle is one life of olapd.
func (x *torture) oneCycle() {
	n := int(x.cycle.Load())
	var point killPoint
	env := ""
	if n%3 > 0 {
		point = x.nextPoint()
		env = point.env(x.r)
	}
	restore := x.stopBroker(n)
	defer restore()
	start := time.Now()
	x.launch(env)
	if env == "" && x.r.IntN(earlyEvery) == 0 {
		sleep(x.Context(), time.Duration(x.r.Int64N(int64(earlyWithin))))
		x.deaths.early++
		x.bury(point, env)
		return
	}
	x.must(x.awaitReady("SELECT count() FROM events"))
	if !x.dead() {
		took := time.Since(start)
		if len(x.ready) == 0 || took > slices.Max(x.ready) {
			x.slowest = fmt.Sprintf("in cycle %d; its log says: %s", n, readyLine(x.srv.Log()))
		}
		x.ready = append(x.ready, took)
		x.report(n, x.check(n, n%fullEvery == 0))
	}
	x.live(n, env != "", restore)
	x.bury(point, env)
}

// live waits until it is time to die, or olapd has. Half-way the broker is back and everything is checked again.
func (x *torture) live(n int, armed bool, restore func()) {
	life := time.Duration(x.r.Int64N(int64(lifetime)))
	if armed {
		life = armedLifetime
	}
	half, died := time.After(life/2), time.After(life)
	for {
		select {
		case <-half:
			restore()
			if !armed && !x.dead() {
				x.report(n, x.check(n, false))
			}
		case <-x.srv.Ended():
			return
		case <-died:
			return
		}
	}
}

// bury ends olapd, or says how it has ended by itself.
func (x *torture) bury(point killPoint, env string) {
	byItself := x.dead()
	x.kill()
	switch {
	case byItself && (env == "" || x.srv.Exit() != -1):
		x.Errorf("olapd ended by itself with code %d (kill point %q); its log ends:\n%s", x.srv.Exit(), env, tail(x.srv.Log()))
	case byItself:
		x.deaths.points[point.at]++
	default:
		x.deaths.random++
		if env != "" {
			x.deaths.missed[point.at]++
		}
	}
	if i := strings.Index(x.srv.Log(), "panic:"); i >= 0 {
		x.Errorf("olapd panicked:\n%s", tail(x.srv.Log()[i:]))
	}
}

// nextPoint deals out the kill points in a random order, all of them before any comes again.
func (x *torture) nextPoint() killPoint {
	if len(x.points) == 0 {
		x.points = slices.Clone(killPoints)
		x.r.Shuffle(len(x.points), func(i, j int) { x.points[i], x.points[j] = x.points[j], x.points[i] })
	}
	point := x.points[0]
	x.points = x.points[1:]
	return point
}

// operate asks for flushes and merges, which would seldom come in so short a life. They fail while olapd is down.
func (x *torture) operate(ctx context.Context, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	tables := []string{"events", "inserts", "by_second", "by_user", "by_kind", "inserts_by_token", "mixed"}
	for ctx.Err() == nil {
		sql := [...]string{"SYSTEM FLUSH TABLE ", "SYSTEM FLUSH TABLE ", "OPTIMIZE TABLE "}[r.IntN(3)] + tables[r.IntN(len(tables))]
		try, cancel := context.WithTimeout(ctx, lifetime)
		_, _ = rowsOf(try, x.at, sql)
		cancel()
		sleep(ctx, operateEvery)
	}
}

// stopBroker stops the broker now and then; what it returns starts it again, once.
func (x *torture) stopBroker(cycle int) (restore func()) {
	if cycle%brokerEvery != brokerEvery-1 || x.broker.cmd == nil {
		return func() {}
	}
	sig := [...]syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[cycle/brokerEvery%2]
	x.brokerDown[cycle/brokerEvery%2]++
	x.must(x.broker.stop(sig))
	return sync.OnceFunc(func() { x.must(x.broker.start()) })
}

// check holds everything against what was written and returns what is wrong. A server that dies meanwhile, at a kill point, is
// not asked further.
func (x *torture) check(cycle int, full bool) (bad []string) {
	from := cyclePrefix(cycle - recentCycles)
	if full {
		from = ""
	}
	ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
	defer cancel()
	steps := []func() ([]string, error){
		func() ([]string, error) { return x.checkOffsets(ctx, x.events, topicSQL) },
		func() ([]string, error) { return x.checkOffsets(ctx, x.letters, mixedSQL) },
		func() ([]string, error) { return x.checkInserts(ctx, from) },
	}
	for _, p := range pairs {
		steps = append(steps, func() ([]string, error) {
			rows, err := rowsOf(ctx, x.srv, p.sql(from))
			return p.check(rows), err
		})
	}
	for _, step := range steps {
		found, err := step()
		bad = append(bad, found...)
		if err == nil {
			continue
		}
		// The kill is seen a moment after the connection breaks.
		select {
		case <-x.srv.Ended():
			return bad
		case <-time.After(time.Second):
			x.must(err)
		}
	}
	x.checks++
	return bad
}

// report fails the test if something is wrong.
func (x *torture) report(cycle int, bad []string) {
	for _, b := range bad {
		x.Errorf("after kill %d: %s", cycle, b)
	}
}

func (x *torture) checkOffsets(ctx context.Context, o *offsets, sql string) ([]string, error) {
	rows, err := numbersOf(ctx, x.srv, sql)
	if err != nil {
		return nil, err
	}
	return o.check(rows), nil
}

func (x *torture) checkInserts(ctx context.Context, from string) ([]string, error) {
	due := x.ledger.due(from)
	rows, err := rowsOf(ctx, x.srv, strings.ReplaceAll(insertsSQL, "%s", from))
	if err != nil {
		return nil, err
	}
	return x.ledger.check(rows, due), nil
}

// conclude lets olapd catch up with what was written and checks all of it, before and after a clean stop.
func (x *torture) conclude() {
	if x.Failed() {
		return
	}
	x.launch("")
	x.must(x.awaitReady("SELECT count() FROM events"))
	ctx, cancel := context.WithTimeout(x.Context(), 2*time.Minute)
	defer cancel()
	clean, err := ends(ctx, x.broker.addr, x.names.clean)
	x.must(err)
	mixed, err := ends(ctx, x.broker.addr, x.names.mixed)
	x.must(err)
	x.catchUp(ctx, clean, mixed)
	x.checkAll(ctx, clean, mixed)
	x.must(x.srv.Signal(syscall.SIGTERM))
	select {
	case <-x.srv.Ended():
		if code := x.srv.Exit(); code != 0 {
			x.Errorf("olapd ended with code %d after SIGTERM; its log ends:\n%s", code, tail(x.srv.Log()))
		}
	case <-time.After(15 * time.Second):
		x.Error("olapd goes on 15 s after SIGTERM")
	}
	x.kill()
	x.launch("")
	x.must(x.awaitReady("SELECT count() FROM events"))
	x.checkAll(ctx, clean, mixed)
}

// catchUp waits until olapd has read the topics to their ends.
func (x *torture) catchUp(ctx context.Context, clean, mixed map[int64]int64) {
	want := int64(0)
	for _, topic := range []map[int64]int64{clean, mixed} {
		for _, end := range topic {
			want += end
		}
	}
	for ctx.Err() == nil {
		rows, err := numbersOf(ctx, x.srv, `SELECT (SELECT count() FROM events) + (SELECT count() FROM mixed) + (SELECT count() FROM system.dead_letter_queue WHERE table = 'mixed_queue')`)
		x.must(err)
		if rows[0][0] >= want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (x *torture) checkAll(ctx context.Context, clean, mixed map[int64]int64) {
	bad := slices.Concat(x.check(*killsFlag, true), x.events.against(clean), x.letters.against(mixed))
	// A broker that was killed may have stored a batch twice: it forgets what it acknowledged. Then there are more messages than were written.
	repeated := x.events.total() - int64(x.clean.acked.Load())
	if repeated < 0 || repeated > 0 && x.brokerDown[1] == 0 {
		bad = append(bad, fmt.Sprintf("events: %d rows for %d acknowledged messages", x.events.total(), x.clean.acked.Load()))
	}
	rows, err := numbersOf(ctx, x.srv, `SELECT uniqExact(id), max(id) FROM events`)
	x.must(err)
	if n := int64(x.clean.acked.Load()); rows[0][0] != n || rows[0][1] != n {
		bad = append(bad, fmt.Sprintf("events: %d different messages up to %d, written were %d", rows[0][0], rows[0][1], n))
	}
	if dead := int64(x.mixed.ackedBad.Load()); x.letters.dead < dead || x.letters.dead > dead && x.brokerDown[1] == 0 {
		bad = append(bad, fmt.Sprintf("mixed: %d dead letters for %d broken messages", x.letters.dead, dead))
	}
	for _, b := range bad {
		x.Errorf("at the end: %s", b)
	}
}

// figures prints what was done and measured.
func (x *torture) figures(took time.Duration) {
	kills := x.deaths.random
	for _, n := range x.deaths.points {
		kills += n
	}
	x.Logf("%d kills in %s: %s", kills, took.Round(time.Second), &x.deaths)
	x.Logf("kill points not reached in time: %v", x.deaths.missed)
	x.Logf("broker stopped %d times, killed %d times", x.brokerDown[0], x.brokerDown[1])
	if len(x.ready) > 0 {
		slices.Sort(x.ready)
		x.Logf("start to first query: p50 %s, max %s (%s)", x.ready[len(x.ready)/2].Round(time.Millisecond), x.ready[len(x.ready)-1].Round(time.Millisecond), x.slowest)
	}
	x.ledger.mu.Lock()
	defer x.ledger.mu.Unlock()
	m := &x.ledger.mu
	x.Logf("%d rows from %d messages, %d rows and %d dead letters of the mixed topic", x.events.total(), x.clean.acked.Load(), x.letters.total()-x.letters.dead, x.letters.dead)
	x.Logf("%d of %d inserts acknowledged (%d rows), %d retries after unknown outcomes, %d repeats of acknowledged ones, %d given up",
		m.acked, len(m.inserts), m.ackedRows, m.retries, m.repeats, m.givenUp)
	if !x.Failed() {
		x.Logf("checked %d times: 0 lost, 0 doubled, every rollup equal to its base", x.checks)
	}
}
