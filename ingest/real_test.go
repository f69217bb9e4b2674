package ingest

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestRealKafka runs against the brokers in KAFKA_BROKERS what the other tests run against an imitation. `make test-kafka`
// starts one.
func TestRealKafka(t *testing.T) {
	addrs := os.Getenv("KAFKA_BROKERS")
	if addrs == "" {
		t.Skip("KAFKA_BROKERS is not set: make test-kafka sets it")
	}
	b := &broker{t: t, addrs: strings.Split(addrs, ",")}
	b.connect()
	b.await()
	for _, c := range []struct {
		name string
		test func(*testing.T, *broker)
	}{
		{"Consume", testConsume},
		{"DeadLetters", testDeadLetters},
		{"Failures", testFailures},
		{"BadRows", testBadRows},
		{"Transactions", testTransactions},
		{"Later", testLater},
		{"LossHalts", func(t *testing.T, b *broker) { testLoss(t, b, false) }},
		{"LossSkipped", func(t *testing.T, b *broker) { testLoss(t, b, true) }},
		{"Recreated", func(t *testing.T, b *broker) { testRecreated(t, b, false) }},
		{"RecreatedSkipped", func(t *testing.T, b *broker) { testRecreated(t, b, true) }},
		{"Truncated", testTruncated},
		{"Group", testGroup},
		{"BackPressure", testBackPressure},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := *b
			own.t = t
			own.connect()
			c.test(t, &own)
		})
	}
}

// await waits until the brokers answer.
func (b *broker) await() {
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		_, err := b.admin.ListTopics(testContext(b.t))
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatal(err)
		}
	}
}
