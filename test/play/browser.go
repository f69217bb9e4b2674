// Package play runs the play page in a real browser, without a window, and asserts on what its user would see. The browser is
// driven by the DevTools protocol over a pair of pipes: JSON messages, each ended by a zero byte.
package play

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits of what is waited for: the machine may be busy with other things.
const (
	callTimeout = 60 * time.Second
	waitTimeout = 30 * time.Second
	pollEvery   = 50 * time.Millisecond
)

// browsers are the names under which Chromium and its kin are installed.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// Find returns the path of a browser, or "".
func Find() string {
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Browser is a Chromium with one page open. Methods are for one goroutine.
type Browser struct {
	cmd     *exec.Cmd
	out     *os.File
	session string
	next    int

	mu       sync.Mutex
	answers  map[int]chan reply
	failed   error // why nothing comes any more
	complain []string
	asked    []string
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	reply
}

// Open starts the browser at path with a profile of its own in dir and a window of the given size.
func Open(path, dir string, width, height int) (*Browser, error) {
	toRead, toWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromRead, fromWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// #nosec: the browser is shown only the page of a server that the test itself has started, so it needs no sandbox.
	cmd := exec.Command(path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-extensions", "--disable-component-update", "--disable-background-networking", "--disable-sync", "--hide-scrollbars", "--user-data-dir="+dir,
		fmt.Sprintf("--window-size=%d,%d", width, height), "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, fromWrite} // they are 3 and 4 there
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	_ = toRead.Close()    // the child has its own
	_ = fromWrite.Close() // the child has its own
	if err != nil {
		return nil, fmt.Errorf("play: start %s: %w", path, err)
	}
	b := &Browser{cmd: cmd, out: toWrite, answers: map[int]chan reply{}}
	go b.read(fromRead)
	if err := b.attach(width, height); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close ends the browser with all its processes.
func (b *Browser) Close() {
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) // fails only if they have ended already
	_ = b.cmd.Wait()                                      // killed: its status says nothing
	_ = b.out.Close()
}

func (b *Browser) attach(width, height int) error {
	var found struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	for deadline := time.Now().Add(waitTimeout); ; time.Sleep(pollEvery) {
		if err := b.call("Target.getTargets", nil, &found); err != nil {
			return err
		}
		for _, t := range found.TargetInfos {
			if t.Type != "page" {
				continue
			}
			var got struct{ SessionID string }
			if err := b.call("Target.attachToTarget", args{"targetId": t.TargetID, "flatten": true}, &got); err != nil {
				return err
			}
			b.session = got.SessionID
			return b.prepare(width, height)
		}
		if time.Now().After(deadline) {
			return errors.New("play: the browser opened no page")
		}
	}
}

func (b *Browser) prepare(width, height int) error {
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		if err := b.call(domain+".enable", nil, nil); err != nil {
			return err
		}
	}
	return b.Resize(width, height)
}

// Resize makes the page as large as a window of this size.
func (b *Browser) Resize(width, height int) error {
	return b.call("Emulation.setDeviceMetricsOverride", args{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

type args map[string]any

// call sends a command and waits for its answer.
func (b *Browser) call(method string, params args, result any) error {
	b.next++
	m := args{"id": b.next, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ch := make(chan reply, 1)
	b.mu.Lock()
	b.answers[b.next] = ch
	failed := b.failed
	b.mu.Unlock()
	if failed != nil {
		return fmt.Errorf("play: %s: %w", method, failed)
	}
	if _, err := b.out.Write(append(line, 0)); err != nil {
		return fmt.Errorf("play: %s: %w", method, err)
	}
	select {
	case r, ok := <-ch:
		switch {
		case !ok:
			return fmt.Errorf("play: %s: the browser has ended", method)
		case r.Error != nil:
			return fmt.Errorf("play: %s: %s", method, r.Error.Message)
		case result != nil:
			return json.Unmarshal(r.Result, result)
		}
		return nil
	case <-time.After(callTimeout):
		return fmt.Errorf("play: %s: no answer in %s", method, callTimeout)
	}
}

// read hands out answers and keeps what the page complains of and asks for, until the browser ends.
func (b *Browser) read(from *os.File) {
	defer from.Close()
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(line[:len(line)-1], &m)
		}
		b.mu.Lock()
		if err != nil {
			if err == io.EOF {
				err = errors.New("the browser has ended")
			}
			b.failed = err
			for _, ch := range b.answers {
				close(ch)
			}
			b.answers = nil
			b.mu.Unlock()
			return
		}
		if ch := b.answers[m.ID]; m.ID > 0 && ch != nil {
			delete(b.answers, m.ID)
			ch <- m.reply
		}
		b.note(m)
		b.mu.Unlock()
	}
}

// note keeps errors of scripts and of the security policy, and the addresses asked for. REQUIRES: b.mu.
func (b *Browser) note(m message) {
	var p struct {
		Type             string
		Args             []struct{ Value any }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry   struct{ Level, Source, Text, URL string }
		Request struct{ URL string }
	}
	if len(m.Params) > 0 && json.Unmarshal(m.Params, &p) != nil {
		return // an event of another shape
	}
	switch m.Method {
	case "Runtime.exceptionThrown":
		b.complain = append(b.complain, p.ExceptionDetails.Text+" "+p.ExceptionDetails.Exception.Description)
	case "Runtime.consoleAPICalled":
		if p.Type == "error" || p.Type == "warning" || p.Type == "assert" {
			b.complain = append(b.complain, fmt.Sprint(p.Type, " ", p.Args))
		}
	case "Log.entryAdded":
		answered := p.Entry.Source == "network" && strings.Contains(p.Entry.Text, "responded with a status of") // an error of SQL, which the page shows
		if (p.Entry.Level == "error" || p.Entry.Level == "warning") && !answered {
			b.complain = append(b.complain, p.Entry.Source+" "+p.Entry.Text+" "+p.Entry.URL)
		}
	case "Network.requestWillBeSent":
		b.asked = append(b.asked, p.Request.URL)
	}
}

// Complaints are the errors and warnings of the page so far.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.complain...)
}

// Requests are the addresses that the page has asked for.
func (b *Browser) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.asked...)
}

// Go opens an address.
func (b *Browser) Go(url string) error {
	return b.call("Page.navigate", args{"url": url}, nil)
}

// Eval evaluates JavaScript in the page, waits for promises, and stores the value in result unless that is nil.
func (b *Browser) Eval(js string, result any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	err := b.call("Runtime.evaluate", args{"expression": js, "returnByValue": true, "awaitPromise": true, "userGesture": true}, &got)
	switch {
	case err != nil:
		return err
	case got.ExceptionDetails != nil:
		return fmt.Errorf("play: %s: %s", js, got.ExceptionDetails.Exception.Description)
	case result != nil && len(got.Result.Value) > 0:
		return json.Unmarshal(got.Result.Value, result)
	}
	return nil
}

// Wait returns when the JavaScript condition is true.
func (b *Browser) Wait(condition string) error {
	for deadline := time.Now().Add(waitTimeout); ; time.Sleep(pollEvery) {
		var is bool
		err := b.Eval("Boolean("+condition+")", &is)
		if err == nil && is {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("play: after %s it is still not so that %s: %w", waitTimeout, condition, err)
		}
	}
}

// Downloads lets the browser save files into dir.
func (b *Browser) Downloads(dir string) error {
	return b.call("Page.setDownloadBehavior", args{"behavior": "allow", "downloadPath": dir}, nil)
}

// Type inserts text where the cursor is, as a keyboard would.
func (b *Browser) Type(text string) error {
	return b.call("Input.insertText", args{"text": text}, nil)
}

// Modifiers of Press.
const (
	Ctrl  = 2
	Shift = 8
)

// keyCodes are those of the keys that the tests press.
var keyCodes = map[string]int{"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, " ": 32, "End": 35}

// Press presses a key, named as in KeyboardEvent.key.
func (b *Browser) Press(key string, modifiers int) error {
	p := args{"type": "rawKeyDown", "key": key, "code": key, "windowsVirtualKeyCode": keyCodes[key], "modifiers": modifiers}
	if err := b.call("Input.dispatchKeyEvent", p, nil); err != nil {
		return err
	}
	p["type"] = "keyUp"
	return b.call("Input.dispatchKeyEvent", p, nil)
}

// Screenshot returns the page as it looks, as PNG.
func (b *Browser) Screenshot() ([]byte, error) {
	var got struct{ Data string }
	if err := b.call("Page.captureScreenshot", args{"format": "png"}, &got); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(got.Data)
}
