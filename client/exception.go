package client

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// errorText is an error as it is shown, whoever found it.
func errorText(err error) string {
	code := sqlerr.CodeOf(err)
	text := strings.TrimSuffix(err.Error(), ".")
	return "Code: " + strconv.Itoa(int(code)) + ". DB::Exception: " + text + ". (" + code.Name() + ")"
}

// exitCode is the process's answer to an error: its code modulo 256, and never 0.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if code := int(sqlerr.CodeOf(err)) % 256; code != 0 {
		return code
	}
	return 255
}
