package function

import (
	"context"
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// TestPlainTimes holds functions over vectors of times, which mostly take the 32-bit way, against the same row by row as DateTime64, which does not.
func TestPlainTimes(t *testing.T) {
	names := []string{"toMinute", "toHour", "toSecond", "toYear", "toMonth", "toDayOfMonth", "toYYYYMM", "toYYYYMMDD", "toDayOfYear", "toISOWeek", "toRelativeDayNum", "toQuarter",
		"toStartOfMinute", "toStartOfFiveMinutes", "toStartOfFifteenMinutes", "toStartOfHour", "toStartOfDay", "toStartOfWeek", "toMonday", "toStartOfMonth", "toStartOfYear", "toStartOfQuarter", "toDate", "timeSlot"}
	r := rand.New(rand.NewSource(1))
	env := &Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC}
	for _, zone := range []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range []int64{1, 3600, 86400, 40 * 86400, 1 << 31} {
			for _, from := range []int64{0, 100_000, 1_382_000_000, 1_400_000_000, 4_294_900_000} {
				times, wide := make([]uint32, 300), make([]int64, 300)
				for i := range times {
					x := from + r.Int63n(span)
					times[i] = uint32(min(x, 1<<32-1))
					wide[i] = int64(times[i])
				}
				plain := column.NewNum(types.NewDateTime(loc), times)
				ticks := column.NewNum(types.NewDateTime64(0, loc), wide)
				for _, name := range names {
					got, want := evaluated(t, env, name, plain), evaluated(t, env, name, ticks)
					for i := range times {
						if g, w := fmt.Sprint(column.Value(got, i)), fmt.Sprint(column.Value(want, i)); g != w {
							t.Fatalf("%s of %d in %s (of %d seconds from %d): %s, want %s", name, times[i], zone, span, from, g, w)
						}
					}
				}
			}
		}
	}
}

func evaluated(t *testing.T, env *Env, name string, v column.Vector) column.Vector {
	t.Helper()
	fn, err := Bind(env, name, []Arg{{Type: v.Type()}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := fn.Call(env, []column.Vector{v}, nil, v.Len())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReciprocal(t *testing.T) {
	for _, d := range []uint32{2, 3, 7, 60, 300, 3600, 86400, 1 << 31, 1<<32 - 1} {
		r := reciprocalOf(d)
		for _, x := range []uint32{0, 1, d - 1, d, d + 1, 2*d - 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
			if got := r.div(x); got != x/d {
				t.Errorf("%d / %d is %d", x, d, got)
			}
		}
	}
}
