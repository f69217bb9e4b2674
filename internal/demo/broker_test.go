package demo

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produceSome writes n numbered records and waits for their acknowledgements.
func produceSome(t *testing.T, addr string, n int) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = kgo.StringRecord(fmt.Sprint(i))
		records[i].Key = []byte{byte(i)}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consumeAll counts what the topic holds.
func consumeAll(t *testing.T, addr string, want int) int {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := 0
	for n < want && ctx.Err() == nil {
		n += c.PollFetches(ctx).NumRecords()
	}
	return n
}

func sum(ends map[int32]int64) (n int64) {
	for _, e := range ends {
		n += e
	}
	return n
}

const brokerEnv = "OLAPD_TEST_BROKER_DIR"

// TestBrokerChild is the broker of TestBrokerSurvives in its own process, until it is killed.
func TestBrokerChild(t *testing.T) {
	dir := os.Getenv(brokerEnv)
	if dir == "" {
		return // run by TestBrokerSurvives only
	}
	b, err := openBroker(t.Context(), dir, "127.0.0.1:0", 3, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("listening", b.addr)
	time.Sleep(30 * time.Second) // the parent kills it long before
}

// Topics, records and offsets survive SIGKILL and a clean stop, at the same address.
func TestBrokerSurvives(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBrokerChild$", "-test.v")
	cmd.Env = append(os.Environ(), brokerEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text string
	for buf := make([]byte, 4096); !strings.Contains(text, "listening 127.0.0.1:") || !strings.HasSuffix(text, "\n"); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%s%v", text, err)
		}
		text += string(buf[:n])
	}
	_, addr, _ := strings.Cut(text, "listening ")
	addr, _, _ = strings.Cut(addr, "\n")
	produceSome(t, addr, 1000)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	var before map[int32]int64
	for i := range 3 { // after the kill, then after clean stops
		b, err := openBroker(t.Context(), dir, "127.0.0.1:0", 3, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ends, err := b.ends(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.addr != addr || len(ends) != 3 || sum(ends) != int64(1000+100*i) || before != nil && !maps.Equal(ends, before) {
			t.Errorf("open %d: at %s, was %s; ends %v, were %v", i, b.addr, addr, ends, before)
		}
		if n := consumeAll(t, b.addr, 1000+100*i); n != 1000+100*i {
			t.Errorf("open %d: %d records", i, n)
		}
		produceSome(t, b.addr, 100)
		if before, err = b.ends(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.close()
	}
}

func TestBrokerAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken, dir := l.Addr().String(), t.TempDir()
	b, err := openBroker(t.Context(), dir, taken, 1, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if b.addr == taken {
		t.Error("two listeners on", taken)
	}
	if _, err := openBroker(t.Context(), dir, taken, 1, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), b.addr) {
		t.Errorf("the same directory twice: %v", err)
	}
	b.close()
}

// Events can go to a broker of somebody else's, and the tables be made elsewhere.
func TestProduceOnly(t *testing.T) {
	b, err := openBroker(t.Context(), t.TempDir(), "127.0.0.1:0", 2, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var out, errs strings.Builder
	if code := Main([]string{"--produce", "--kafka", b.addr, "--rate", "1000", "--for", "500ms"}, &out, &errs); code != 0 || !strings.Contains(out.String(), b.addr) {
		t.Fatalf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	ends, err := b.ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, n := range ends {
		total += n
	}
	if total == 0 {
		t.Error("no events in the topic")
	}
	out.Reset()
	if code := Main([]string{"--schema", "--kafka", "kafka:9092"}, &out, &errs); code != 0 || strings.Count(out.String(), "CREATE ") != 5 || !strings.Contains(out.String(), "'kafka:9092'") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
