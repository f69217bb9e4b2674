package server

import (
	"strings"

	"github.com/olapd/olapd/internal/compress"
)

// negotiate picks the content coding of an answer from Accept-Encoding, by the server's preference; none if the
// client knows none of ours. A coding with q=0 is refused by the client.
func negotiate(accept string) (compress.Coding, bool) {
	accepted := map[string]bool{}
	for _, part := range strings.Split(accept, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if q := strings.ReplaceAll(params, " ", ""); q != "q=0" && q != "q=0.0" {
			accepted[strings.ToLower(strings.TrimSpace(name))] = true
		}
	}
	for _, c := range compress.Codings {
		if accepted[string(c)] {
			return c, true
		}
	}
	return "", false
}
