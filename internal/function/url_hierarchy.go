package function

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	hierarchy := func(name, doc string, skip func([]byte) int) *Scalar {
		return &Scalar{Name: name, MinArgs: 1, MaxArgs: 1, Family: "url", Doc: doc, Resolve: fixed(name, types.NewArray(types.TString), isText), Eval: evalHierarchy(skip)}
	}
	register(
		hierarchy("URLHierarchy", "Returns a URL cut behind each of the separators of its path and query.", hostEnd),
		hierarchy("URLPathHierarchy", "Returns the path of a URL cut behind each of its separators.", func(s []byte) int { return -hostEnd(s) }),
		&Scalar{Name: "cutURLParameter", MinArgs: 2, MaxArgs: 2, Resolve: resolveCutParameter, Eval: evalCutParameter, Family: "url", Doc: "Removes parameters of a URL's query.", Example: "cutURLParameter('http://a/?b=1&c=2', 'b') → http://a/?c=2"},
	)
}

// hostEnd is where the path begins: behind the protocol and the host; 0 if there is no protocol.
func hostEnd(s []byte) int {
	p := urlProtocol(s)
	if p == nil {
		return 0
	}
	from := len(p) + 3
	if at := firstOf(s[from:], "/?#"); at >= 0 {
		return from + at
	}
	return len(s)
}

// evalHierarchy cuts behind runs of separators; skip says where they begin, negative if what stands before is not kept.
func evalHierarchy(skip func([]byte) int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s := stringsOf(c.Args[0])
		out, ends := piecesOf(s, c.Rows), make([]uint32, 1, c.Rows+1)
		for i := range c.Rows {
			text := s.row(i)
			at := skip(text)
			root := at <= 0 // of a path, its first separator is no level
			if at < 0 {
				text, at = text[-at:], 0
			}
			addHierarchy(out, text, at, root)
			ends = append(ends, out.count())
		}
		return out.arrays(c, "URLHierarchy", ends)
	}
}

func isPathSeparator(c byte) bool { return c == '/' || c == '?' || c == '#' }

func addHierarchy(dst *pieces, s []byte, at int, root bool) {
	if root && at < len(s) {
		at++
	}
	for at < len(s) {
		for at < len(s) && !isPathSeparator(s[at]) {
			at++
		}
		for at < len(s) && isPathSeparator(s[at]) {
			at++
		}
		dst.add(s[:at])
	}
}

func resolveCutParameter(_ *Env, args []Arg) (*types.Type, error) {
	if !isText(args[0].Type) {
		return nil, illegal("cutURLParameter", 0, args[0].Type)
	}
	if t := args[1].Type; !isText(t) && !(isArray(t) && isText(t.Elem())) {
		return nil, illegal("cutURLParameter", 1, t)
	}
	return types.TString, nil
}

func evalCutParameter(c *Call) (column.Vector, error) {
	s := stringsOf(c.Args[0])
	out := stringResultLike(c, s)
	var names func(i int) [][]byte
	if isArray(c.Types[1]) {
		arr := arraysOf(c.Args[1])
		texts := stringsOf(arr.Elem)
		names = func(i int) (list [][]byte) {
			from, to := arr.bounds(i)
			for k := from; k < to; k++ {
				list = append(list, texts.row(k))
			}
			return list
		}
	} else {
		name, list := stringsOf(c.Args[1]), make([][]byte, 1)
		names = func(i int) [][]byte {
			list[0] = name.row(i)
			return list
		}
	}
	for i := range c.Rows {
		n := len(out.Data)
		out.Data = append(out.Data, s.row(i)...)
		for _, name := range names(i) {
			out.Data = out.Data[:n+len(withoutParameter(out.Data[n:], name))]
		}
		out.EndValue()
	}
	return out, nil
}

// withoutParameter removes, in place, the first parameter of that name, and the mark that joins it to the others.
func withoutParameter(url, name []byte) []byte {
	query := firstOf(url, "?#")
	if query < 0 || len(name) == 0 {
		return url
	}
	for at := query + 1; at < len(url); {
		end := at
		for end < len(url) && url[end] != '&' && url[end] != '#' && url[end] != '?' {
			end++
		}
		if rest, ok := bytes.CutPrefix(url[at:end], name); ok && len(rest) > 0 && rest[0] == '=' {
			switch {
			case end < len(url) && url[end] == '&':
				end++
			case url[at-1] == '&':
				at--
			}
			return append(url[:at], url[end:]...)
		}
		at = end + 1
	}
	return url
}
