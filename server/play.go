package server

import (
	_ "embed"
	"net/http"
)

//go:embed play.html
var playPage []byte

// play serves the page on which a query can be typed and its result read. It loads nothing from elsewhere.
func play(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=UTF-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(playPage) // a client that has gone does not want the page
}
