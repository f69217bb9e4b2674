// Package docs runs the examples of README.md and docs/*.md, so that what is documented is true.
//
// In a fenced block marked sql, each statement ends with a semicolon at the end of a line. Comment lines right behind it
// are what it answers, as TabSeparated; runs of blanks count as one:
//
//	SELECT 1 + 1, 'a';
//	-- 2 a
//
// "-- error 48" says that it fails, with that code; a statement with no such line must succeed, whatever it answers.
// In a block marked sh, a line that begins with "$ curl " is run, and the lines up to the next "$" or the end of the block are what it
// prints; "…" stands for any text. Other lines are for readers. The statements of a file run in order, in a database of its own.
package docs

import (
	"fmt"
	"strings"
)

// example is one command of a document and what it is said to answer.
type example struct {
	line   int // in the file, from 1
	text   string
	want   string
	given  bool // want was stated
	failed string
}

// blocks returns the lines of the fenced blocks of a language, each with the number of its first line.
func blocks(text, language string) (out []block) {
	var b *block
	for i, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case b != nil && trimmed == "```":
			if b.language == language {
				out = append(out, *b)
			}
			b = nil
		case b != nil:
			b.lines = append(b.lines, line)
		case strings.HasPrefix(trimmed, "```"):
			b = &block{first: i + 2, language: strings.TrimPrefix(trimmed, "```")}
		}
	}
	return out
}

type block struct {
	first    int
	language string
	lines    []string
}

// statements takes the examples of a block of SQL.
func (b block) statements() ([]example, error) {
	var out []example
	var open []string
	start := 0
	for i, line := range b.lines {
		comment, isComment := strings.CutPrefix(line, "--")
		switch {
		case len(open) == 0 && isComment:
			if len(out) > 0 {
				out[len(out)-1].expect(strings.TrimPrefix(comment, " "))
			}
		case len(open) == 0 && strings.TrimSpace(line) == "":
		default:
			if len(open) == 0 {
				start = b.first + i
			}
			open = append(open, line)
			if code, _, _ := strings.Cut(line, "  -- "); strings.HasSuffix(strings.TrimSpace(code), ";") {
				out = append(out, example{line: start, text: strings.Join(open, "\n")})
				open = nil
			}
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("line %d: a statement without a semicolon at the end of a line", start)
	}
	return out, nil
}

func (e *example) expect(line string) {
	if code, ok := strings.CutPrefix(line, "error "); ok {
		e.failed, _, _ = strings.Cut(code, ":")
		return
	}
	if e.given {
		e.want += "\n"
	}
	e.want, e.given = e.want+line, true
}

// commands takes the examples of a block of shell lines.
func (b block) commands() []example {
	var out []example
	reading := false
	for i, line := range b.lines {
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isCommand && strings.HasPrefix(command, "curl "):
			out = append(out, example{line: b.first + i, text: command, given: true})
			reading = true
		case isCommand:
			reading = false
		case reading:
			e := &out[len(out)-1]
			e.want += line + "\n"
		}
	}
	return out
}

// agrees reports whether an answer is the one stated: blanks count as one, "…" is any text.
func agrees(got, want string) bool {
	got, want = squeeze(got), squeeze(want)
	parts := strings.Split(want, "…")
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok {
		return false
	}
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(rest, strings.TrimLeft(part, " "))
		}
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return rest == ""
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
