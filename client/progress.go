package client

import (
	"fmt"
	"io"
	"strings"
	"sync"
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

// progress draws a bar on a terminal while a query runs, in a goroutine that ends with stop. A nil progress draws nothing.
type progress struct {
	w     io.Writer
	width func() int
	once  sync.Once
	end   chan struct{}
	done  chan struct{}
	mu    struct {
		sync.Mutex
		work  work
		sent  uint64 // bytes of an INSERT's data that were read
		drawn bool
	}
}

// startProgress draws on w until stop is called.
func startProgress(w io.Writer, width func() int) *progress {
	p := &progress{w: w, width: width, end: make(chan struct{}), done: make(chan struct{})}
	go p.loop()
	return p
}

// stop wipes the bar. What is written afterwards does not mix with it.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		close(p.end)
		<-p.done
	})
}

// tell says how far the query is.
func (p *progress) tell(w work) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.work = w
}

// sent counts bytes of an INSERT's data.
func (p *progress) sent(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.sent += uint64(n)
}

// pause wipes the bar while f writes to the same terminal.
func (p *progress) pause(f func()) {
	if p == nil {
		f()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipeLocked()
	f()
}

func (p *progress) wipeLocked() {
	if p.mu.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.mu.drawn = false
}

func (p *progress) loop() {
	defer close(p.done)
	start := time.Now()
	timer := time.NewTimer(firstProgress)
	defer timer.Stop()
	for tick := 0; ; tick++ {
		select {
		case <-p.end:
			p.pause(func() {})
			return
		case <-timer.C:
		}
		p.mu.Lock()
		p.mu.drawn = true
		fmt.Fprint(p.w, "\r"+bar(p.mu.work, p.mu.sent, time.Since(start), tick, p.width()-1)+"\x1b[K")
		p.mu.Unlock()
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
