package client

import (
	"fmt"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/protocol"
)

// priorities are the names of log levels, as Poco numbers them.
var priorities = map[int8]string{1: "Fatal", 2: "Critical", 3: "Error", 4: "Warning", 5: "Notice", 6: "Information", 7: "Debug", 8: "Trace", 9: "Test"}

// printLogs writes the lines of a Log packet, which the setting send_logs_level asks for.
func printLogs(w io.Writer, d protocol.Data) {
	value := func(name string, i int) any {
		if c := d.Schema.Index(name); c >= 0 {
			return column.Value(d.Block.Cols[c], i)
		}
		return ""
	}
	for i := range d.Block.N {
		priority, _ := value("priority", i).(int8)
		host, _ := value("host_name", i).(string)
		id, _ := value("query_id", i).(string)
		source, _ := value("source", i).(string)
		text, _ := value("text", i).(string)
		fmt.Fprintf(w, "[%s] {%s} <%s> %s: %s\n", printable(host), printable(id), priorities[priority], printable(source), printable(text))
	}
}
