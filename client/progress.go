package client

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Pace of the progress bar.
const (
	// firstProgress is how long a query may take before it gets a bar: most never need one.
	firstProgress = 200 * time.Millisecond
	nextProgress  = 150 * time.Millisecond
)

// work is how far a query has come.
type work struct {
	readRows, readBytes, totalRows, writtenRows, writtenBytes, memory uint64
}

// parseWork reads the row of system.processes that progressSQL asks for; false: the query is not running.
func parseWork(text string) (work, bool) {
	var w work
	fields := strings.Split(strings.TrimSpace(text), "\t")
	into := []*uint64{&w.readRows, &w.readBytes, &w.totalRows, &w.writtenRows, &w.writtenBytes, &w.memory}
	if len(fields) != len(into) {
		return work{}, false
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return work{}, false
		}
		*into[i] = n
	}
	return w, true
}

func progressSQL(id string) string {
	return "SELECT read_rows, read_bytes, total_rows_approx, written_rows, written_bytes, greatest(peak_memory_usage, 0) " +
		"FROM system.processes WHERE query_id = '" + id + "'"
}

// progress draws a bar on a terminal while a query runs. It asks the server beside the query, in a goroutine that ends
// with stop.
type progress struct {
	sent  atomic.Int64 // bytes of an INSERT's data handed to the network
	w     io.Writer
	width func() int
	once  sync.Once
	end   context.CancelFunc
	done  chan struct{}
}

// startProgress draws on w until stop is called.
func startProgress(ctx context.Context, c *conn, id string, w io.Writer, width func() int) *progress {
	ctx, end := context.WithCancel(ctx)
	p := &progress{w: w, width: width, end: end, done: make(chan struct{})}
	go p.loop(ctx, c, id)
	return p
}

// stop wipes the bar. What is written afterwards does not mix with it.
func (p *progress) stop() {
	p.once.Do(func() {
		p.end()
		<-p.done
	})
}

func (p *progress) loop(ctx context.Context, c *conn, id string) {
	defer close(p.done)
	start, drawn := time.Now(), false
	timer := time.NewTimer(firstProgress)
	defer timer.Stop()
	for tick := 0; ; tick++ {
		select {
		case <-ctx.Done():
			if drawn {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		case <-timer.C:
		}
		text, _ := c.side(ctx, progressSQL(id)) // a server that does not tell leaves the time and what was sent
		w, _ := parseWork(text)
		if ctx.Err() == nil {
			drawn = true
			fmt.Fprint(p.w, "\r"+bar(w, uint64(p.sent.Load()), time.Since(start), tick, p.width()-1)+"\x1b[K")
		}
		timer.Reset(nextProgress)
	}
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// bar is the line of progress, at most width columns wide; every rune in it takes one.
func bar(w work, sent uint64, elapsed time.Duration, tick, width int) string {
	line := string(spinner[tick%len(spinner)]) + " "
	part := 0.0
	if w.totalRows > 0 {
		part = min(float64(w.readRows)/float64(w.totalRows), 1)
		line += fmt.Sprintf("%3.0f%%  ", part*100)
	}
	line += workText(w, sent, elapsed)
	if room := width - runes(line) - 2; w.totalRows > 0 && room >= minBar {
		line += "  " + blocks(part, room)
	}
	if r := []rune(line); len(r) > width {
		line = string(r[:max(width, 0)])
	}
	return line
}

// minBar is the narrowest bar worth drawing.
const minBar = 8

func runes(s string) int { return len([]rune(s)) }

// blocks is a bar of the given width of which a part is filled, to an eighth of a column.
func blocks(part float64, width int) string {
	eighths := int(part * float64(width) * 8)
	full := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		full += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return full + strings.Repeat(" ", width-runes(full))
}

func workText(w work, sent uint64, elapsed time.Duration) string {
	seconds := max(elapsed.Seconds(), 1e-9)
	text := fmt.Sprintf("%.1f s", seconds)
	if w.readRows > 0 {
		text = processed(w.readRows, w.readBytes, seconds)
	}
	if sent > 0 {
		text += ", sent " + bytesText(float64(sent)) + " (" + bytesText(float64(sent)/seconds) + "/s.)"
	}
	if w.writtenRows > 0 {
		text += ", written " + rowsText(float64(w.writtenRows)) + " rows"
	}
	if w.memory > 0 {
		text += ", " + memoryText(w.memory)
	}
	return text
}

// processed is "1.23 million rows, 4.56 MB (7.89 million rows/s., 12.3 MB/s.)".
func processed(rows, bytes uint64, seconds float64) string {
	return fmt.Sprintf("%s rows, %s (%s rows/s., %s/s.)", rowsText(float64(rows)), bytesText(float64(bytes)),
		rowsText(float64(rows)/seconds), bytesText(float64(bytes)/seconds))
}

func rowsText(n float64) string {
	return scaled(n, 1000, "", " thousand", " million", " billion", " trillion", " quadrillion")
}

func bytesText(n float64) string { return scaled(n, 1000, " B", " KB", " MB", " GB", " TB", " PB") }

func memoryText(n uint64) string {
	return scaled(float64(n), 1024, " B", " KiB", " MiB", " GiB", " TiB", " PiB")
}

// scaled prints a number with two digits behind the point and the largest unit that leaves at least one before it.
func scaled(n, base float64, units ...string) string {
	i := 0
	for ; n >= base && i+1 < len(units); i++ {
		n /= base
	}
	return fmt.Sprintf("%.2f%s", n, units[i])
}
