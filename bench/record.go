package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// environment says when, of what and where a result was measured. Every line of
// bench/results begins with one.
type environment struct {
	Date    string `json:"date"`
	Commit  string `json:"commit"`
	Command string `json:"command"`
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memory_bytes"`
	System  string `json:"system"`
	Go      string `json:"go"`
}

func newEnvironment() environment {
	return environment{
		Date: time.Now().UTC().Format(time.RFC3339), Commit: commit(), Command: commandLine(os.Args[1:]),
		CPU: cpuModel(), Cores: runtime.NumCPU(), Memory: machineMemory(), System: kernel(), Go: runtime.Version(),
	}
}

// commandLine is how a command can be given again; where its files were is nobody's business.
func commandLine(args []string) string {
	line := "bench"
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if strings.HasPrefix(args[i], "-") && (name == "server" || name == "dir" || name == "results") {
			if !joined {
				i++ // its value
			}
			continue
		}
		line += " " + args[i]
	}
	return line
}

// resultsDir holds one file per command, a JSON line per run.
const resultsDir = "bench/results"

// appendResult adds a result as one line to a file of resultsDir; dir "" is for no record.
func appendResult(dir, name string, result any) error {
	if dir == "" {
		return nil
	}
	line, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, name+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	return err
}

// allResults reads the lines of a file, in order; none if there is no such file.
func allResults[R any](dir, name string) (list []*R, err error) {
	data, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(data) {
		r := new(R)
		if err := json.Unmarshal(line, r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// lastResult reads the last line of a file that is wanted; nil if there is none.
func lastResult[R any](dir, name string, wanted func(*R) bool) (found *R, err error) {
	list, err := allResults[R](dir, name)
	for _, r := range list {
		if wanted(r) {
			found = r
		}
	}
	return found, err
}

// progress tells whoever waits what goes on.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// commit is the short name of the checked-out commit, with "+changes" if files differ from it, other than those
// that benchmarks write.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := string(bytes.TrimSpace(out))
	out, err = exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!"+resultsDir, ":!docs/benchmarks.md", ":!README.md").Output()
	if err != nil || len(out) > 0 {
		name += "+changes"
	}
	return name
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	_, after, _ := strings.Cut(string(info), "model name")
	line, _, _ := strings.Cut(after, "\n")
	return strings.Trim(line, "\t :")
}

// machineMemory returns the machine's memory in bytes; 0 if unknown.
func machineMemory() int64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(info), "MemTotal:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return runtime.GOOS + " " + strings.TrimSpace(string(release))
}
