package client

import (
	"errors"
	"io"
	"strings"

	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// Sizes of a script's window: a statement that ends within it is read whole.
const (
	// window is what is read at first; data of an INSERT whose end is not in it runs to the end of the input.
	window = 1 << 20
	// maxWindow is how far the end of any other statement is looked for.
	maxWindow = 64 << 20
)

// statement is one piece of a script, without its semicolon.
type statement struct {
	text     string
	ast      ast.Statement // nil: it does not parse, so the server's error will show
	rest     io.Reader     // more of an INSERT's data, behind text; nil: none
	vertical bool          // it ended in \G
}

// script cuts a text into statements. A statement ends at a semicolon or \G outside quotes and comments. The inline data of
// an INSERT in a format other than Values ends at a blank line, or at a semicolon at the end of a line.
type script struct {
	r    io.Reader // nil: all of it is in text
	text string    // read and not yet given out
}

func newScript(r io.Reader) *script { return &script{r: r} }

func textScript(text string) *script { return &script{text: text} }

// next returns the next statement, or io.EOF.
func (s *script) next() (statement, error) {
	for {
		s.skipEmpty()
		if s.text == "" && s.r == nil {
			return statement{}, io.EOF
		}
		if s.text != "" {
			if st, ok := s.cut(); ok && st.text != "" {
				return st, nil
			} else if ok {
				continue // a \G with nothing before it
			}
		}
		if err := s.fill(max(window, 2*len(s.text))); err != nil {
			return statement{}, err
		}
	}
}

// fill reads until text has size bytes or the input ends.
func (s *script) fill(size int) error {
	buf := make([]byte, size-len(s.text))
	n, err := io.ReadFull(s.r, buf)
	s.text += string(buf[:n])
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.r = nil
	case err != nil:
		return &dataError{err}
	}
	return nil
}

// skipEmpty drops empty statements, and comments with nothing behind them.
func (s *script) skipEmpty() {
	skip := 0
	for t := range parse.Tokens(s.text) {
		if s.text[t.Start:t.End] != ";" {
			s.text = strings.TrimLeft(s.text[skip:], " \t\r\n")
			return
		}
		skip = t.End
	}
	s.text = s.text[skip:]
	if s.r == nil {
		s.text = ""
	}
}

// cut takes the first statement of text; false: its end is further than was read.
func (s *script) cut() (statement, bool) {
	end, next, vertical, ok := statementEnd(s.text)
	if !ok {
		end, next = len(s.text), len(s.text)
	}
	st := statement{text: s.text[:end], vertical: vertical}
	if stmt, err := parse.One(st.text, parse.Limits{QuerySize: end + 1}); err == nil {
		st.ast = stmt
	}
	limit := maxWindow
	if in, isInsert := st.ast.(*ast.Insert); isInsert && in.DataStart >= 0 && in.Format != "Values" {
		st.text, next, ok = cutData(s.text, in.DataStart)
		st.vertical, limit = false, window
	}
	if !ok && s.r != nil {
		if len(s.text) < limit {
			return statement{}, false
		}
		st.rest, s.r = s.r, nil
	}
	s.text = s.text[next:]
	return st, true
}

// cutData finds where the data that begins at start ends: the text up to there, and where the next statement begins.
func cutData(text string, start int) (string, int, bool) {
	for pos := start; pos < len(text); {
		end, next := len(text), len(text)
		if nl := strings.IndexByte(text[pos:], '\n'); nl >= 0 {
			end, next = pos+nl, pos+nl+1
		}
		line := strings.TrimRight(text[pos:end], " \t\r")
		switch {
		case line == "" && pos > start && next > end:
			return text[:pos], next, true
		case strings.HasSuffix(line, ";"):
			return text[:pos+len(line)-1], next, true
		}
		pos = next
	}
	return text, len(text), false
}

// statementEnd finds the first semicolon or \G: where the statement ends and what is behind begins.
func statementEnd(text string) (end, behind int, vertical, ok bool) {
	backslash := -1
	for t := range parse.Tokens(text) {
		word := text[t.Start:t.End]
		switch {
		case t.Kind == parse.TokenSymbol && word == ";":
			return t.Start, t.End, false, true
		case backslash >= 0 && backslash+1 == t.Start && word == "G":
			return backslash, t.End, true, true
		}
		backslash = -1
		if word == `\` {
			backslash = t.Start
		}
	}
	return 0, 0, false, false
}

// complete reports whether what was typed is ready to run: nothing, a command of the prompt, or statements up to a
// semicolon or \G at the end.
func complete(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || isCommand(text) {
		return true
	}
	for rest := text; ; {
		_, behind, _, ok := statementEnd(rest)
		if !ok {
			return false
		}
		rest = rest[behind:]
		if onlyBlank(rest) {
			return true
		}
	}
}

// onlyBlank reports whether a text has nothing but white space and comments.
func onlyBlank(text string) bool {
	for range parse.Tokens(text) {
		return false
	}
	return true
}
