package segment

import (
	"flag"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

var layoutOf = flag.String("layout", "", "a segment file: TestLayout prints what its bytes are spent on")

// TestLayout holds the sum of the parts against the sizes that the writer noted.
func TestLayout(t *testing.T) {
	fs, path := vfs.FS(vfs.NewMem()), "/s"
	if *layoutOf != "" {
		fs, path = vfs.Disk(), *layoutOf
	} else {
		small(t, fs, path)
	}
	rd := open(t, fs, path, nil)
	all, err := rd.Layout()
	if err != nil {
		t.Fatal(err)
	}
	var sum ColumnLayout
	for i, l := range all {
		if i < len(rd.Meta().Columns) {
			if got, want := l.Bytes(), rd.Meta().Columns[i].Bytes; got != want {
				t.Errorf("column %s: %d bytes by their kinds, %d described", l.Name, got, want)
			}
		}
		if *layoutOf != "" {
			entries := 0
			if d := rd.cols[i].entry.Dict; d != nil {
				entries = d.Entries
			}
			t.Logf("%-24s %-12s all %10d pages %10d values %10d lengths %8d hashes %9d bitmap %8d index %8d entries %d distinct %d",
				l.Name, l.Type, l.Bytes(), l.Pages, l.Values, l.Lengths, l.Hashes, l.Bitmap, l.Index, entries, rd.Meta().Columns[i].Distinct)
		}
		sum.Pages += l.Pages
		sum.Values += l.Values
		sum.Lengths += l.Lengths
		sum.Hashes += l.Hashes
		sum.Bitmap += l.Bitmap
		sum.Index += l.Index
	}
	t.Logf("%d bytes in columns of %d in the file: %+v", sum.Bytes(), rd.size, sum)
	if sum.Bytes() > rd.size {
		t.Errorf("%d bytes in columns of a file of %d", sum.Bytes(), rd.size)
	}
}
