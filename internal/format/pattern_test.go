package format

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// paced hands a text out whole, or byte by byte.
func paced(text string, whole bool) io.Reader {
	if whole {
		return strings.NewReader(text)
	}
	return iotest.OneByteReader(strings.NewReader(text))
}

// readBlock reads all rows.
func readBlock(t *testing.T, f *Format, src io.Reader, s column.Schema, o Options) (*column.Block, error) {
	t.Helper()
	rows, err := readAll(t, f.Name, s, src, o)
	if err != nil {
		return nil, err
	}
	return rows.Block(), nil
}

// What CustomSeparated is by its settings, as ClickHouse 26.7 writes and reads it.
func TestCustomSeparated(t *testing.T) {
	s := schemaOf(t, "a", "UInt8", "b", "String")
	around := CustomOptions{Rule: "CSV", Field: "|", RowBefore: "<", RowAfter: ">", RowBetween: ";", ResultBefore: "[", ResultAfter: "]"}
	with := func(rule, field string) CustomOptions { return CustomOptions{Rule: rule, Field: field, RowAfter: "\n"} }
	for _, c := range []struct {
		name, in string
		custom   CustomOptions
		want     string // as CSV; the input again is what comes of it if same
		same     bool
		code     sqlerr.Code
		errors   uint64
	}{
		{in: "1|\"x\"\n2|\"y\"\n", custom: with("CSV", "|"), want: "1,\"x\"\n2,\"y\"\n", same: true},
		{in: "1||\"x||y\"\n2||\"y|z\"\n", custom: with("CSV", "||"), want: "1,\"x||y\"\n2,\"y|z\"\n", same: true},
		{in: "1|x,y\n2|y", custom: with("CSV", "|"), code: sqlerr.CannotParseInputAssertionFailed},
		{in: "1\n", custom: with("CSV", "|"), code: sqlerr.CannotParseInputAssertionFailed},
		{in: "1|'x|\\'y'\n2|'y'\n", custom: with("Quoted", "|"), want: "1,\"x|'y\"\n2,\"y\"\n", same: true},
		{in: "1|\"x\\\"|\"\n2|\"y\"\n", custom: with("JSON", "|"), want: "1,\"x\"\"|\"\n2,\"y\"\n", same: true},
		{in: "1|x\n2|y\\tz\n", custom: with("Escaped", "|"), want: "1,\"x\"\n2,\"y\tz\"\n", same: true},
		{in: "1||x|y\n2||\\t\n", custom: with("Raw", "||"), want: "1,\"x|y\"\n2,\"\\t\"\n", same: true},
		{in: "[<1|\"x\">;<2|\"y>;<\">]", custom: around, want: "1,\"x\"\n2,\"y>;<\"\n", same: true},
		{in: "[]", custom: around, want: ""},
		{in: "[<1|\"x\">;no>;<3|\"y\">]", custom: around, want: "1,\"x\"\n3,\"y\"\n", errors: 1},
		{in: "[<1|\"x\">;<2|\"y\">", custom: around, code: sqlerr.CannotParseInputAssertionFailed},
		{in: "[<1|\"x\">;<2|\"y\">]more", custom: around, code: sqlerr.CannotParseInputAssertionFailed},
		{name: "WithNames", in: "\"b\"|\"a\"\n\"x\"|1\n", custom: with("CSV", "|"), want: "1,\"x\"\n"},
		{name: "WithNamesAndTypes", in: "\"a\"|\"b\"\n\"UInt8\"|\"String\"\n1|\"x\"\n", custom: with("CSV", "|"), want: "1,\"x\"\n", same: true},
		{name: "IgnoreSpaces", in: " 1  |  \"x\"  \n  2 | y z\n\n", custom: with("CSV", "|"), want: "1,\"x\"\n2,\"y z\"\n"},
		{name: "IgnoreSpacesWithNames", in: " \"b\" |  a\n  x | 2\n", custom: with("CSV", "|"), want: "2,\"x\"\n"},
		{in: "1|x\n", custom: with("XML", "|"), code: sqlerr.BadArguments},
	} {
		o := Defaults()
		o.Custom, o.AllowErrorsNum = c.custom, c.errors
		f, err := Lookup("CustomSeparated" + c.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []bool{false, true} {
			b, err := readBlock(t, f, paced(c.in, step), s, o)
			if c.code != 0 || err != nil {
				if sqlerr.CodeOf(err) != c.code {
					t.Errorf("%s%+v of %q: %v, want %d", c.name, c.custom, c.in, err, c.code)
				}
				continue
			}
			if got := string(write(t, "CSV", s, b, o)); got != c.want {
				t.Errorf("%s%+v of %q: %q, want %q", c.name, c.custom, c.in, got, c.want)
			}
			if c.same {
				if got := string(write(t, f.Name, s, b, o)); got != c.in {
					t.Errorf("%s%+v: %q, want %q", c.name, c.custom, got, c.in)
				}
			}
		}
	}
}

func TestTemplate(t *testing.T) {
	s := schemaOf(t, "a", "UInt8", "b", "String")
	for _, c := range []struct {
		row, file, result, between, in, want string
		spaces                               bool
		code                                 sqlerr.Code
	}{
		{file: "row.txt", in: "1-'x'\n2-'y'", want: "1,\"x\"\n2,\"y\"\n"},
		{file: "none.txt", in: "1-'x'", code: sqlerr.FileDoesntExist},
		{file: "../row.txt", in: "1-'x'", code: sqlerr.BadArguments},
		{row: "${b:JSON}", file: "row.txt", code: sqlerr.InvalidTemplateFormat},
		{row: `${1:JSON} of ${"a":CSV} $$`, in: "\"x-\" of 1 $\n\"y\" of 2 $", want: "1,\"x-\"\n2,\"y\"\n"},
		{row: "${a:CSV}-${b:JSON}", result: "[${data}]", between: ",", in: "[1-\"x\",2-\"y,]\"]", want: "1,\"x\"\n2,\"y,]\"\n"},
		{row: "${a:CSV}-${b:CSV}", result: "[${data}]", in: "[]", want: ""},
		{row: "${a:CSV}-${b:CSV}", result: "[${data}]", in: "[1-2", code: sqlerr.CannotParseInputAssertionFailed},
		{row: "${a:CSV}-${b:CSV}", in: "1-\"x\"\n2-\"y\"\n", code: sqlerr.CannotReadAllData},
		{row: "${a:CSV},${:CSV},${b:CSV}", in: "1,leave me,x\n2,\"leave, me\",y", want: "1,\"x\"\n2,\"y\"\n"},
		{row: "${a:CSV}", in: "5\n6", want: "5,\"\"\n6,\"\"\n"},
		{row: "${b:CSV}", between: "x", in: "\n\n", code: sqlerr.CannotParseInputAssertionFailed}, // a row of nothing, for ever
		{row: "${b:Raw}", in: "5\n6", want: "0,\"5\"\n0,\"6\"\n"},
		{row: `{"a":${a:JSON},"b":${b:JSON}}`, result: `{"rows":[${data}],"n":${:JSON}}`, between: ",", spaces: true,
			in: `{"rows":[ {"a": 1 ,"b": "x" } , {"a":2,"b":"]}"} ],"n": 5} `, want: "1,\"x\"\n2,\"]}\"\n"},
		{row: "${a:CSV} ${a:CSV}", in: "1 1", code: sqlerr.InvalidTemplateFormat},
		{row: "${a:CSV} ${b:XML}", in: "1 1", code: sqlerr.BadArguments},
		{row: "${a:CSV} ${b:Foo}", code: sqlerr.BadArguments}, {row: "${a:CSV} ${c:CSV}", code: sqlerr.NotFoundColumnInBlock},
		{row: "${a} ${b:CSV}", code: sqlerr.InvalidTemplateFormat}, {row: "${a:CSV", code: sqlerr.InvalidTemplateFormat}, {row: "$a", code: sqlerr.InvalidTemplateFormat},
		{row: "${ a:CSV}", code: sqlerr.InvalidTemplateFormat}, {code: sqlerr.InvalidTemplateFormat}, {row: "${2:CSV}", code: sqlerr.NotFoundColumnInBlock},
		{row: "${\"a:CSV}", code: sqlerr.InvalidTemplateFormat}, {row: "${a:CSV}", result: "none", code: sqlerr.InvalidTemplateFormat},
		{row: "${a:CSV}", result: "${rows:CSV} ${data}", code: sqlerr.InvalidTemplateFormat},
	} {
		o := Defaults()
		o.Schemas = &Schemas{FS: vfs.Disk(), Folder: "testdata/templates"}
		o.Template.Row, o.Template.RowFormat, o.Template.ResultFormat = c.file, c.row, c.result
		if c.between != "" {
			o.Template.Between = c.between
		}
		f, err := Lookup(map[bool]string{false: "Template", true: "TemplateIgnoreSpaces"}[c.spaces])
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []bool{false, true} {
			b, err := readBlock(t, f, paced(c.in, step), s, o)
			switch {
			case c.code != 0 || err != nil:
				if sqlerr.CodeOf(err) != c.code {
					t.Errorf("%s %s of %q: %v, want %d", c.row, c.file, c.in, err, c.code)
				}
			case string(write(t, "CSV", s, b, o)) != c.want:
				t.Errorf("%s %s of %q: %q, want %q", c.row, c.file, c.in, write(t, "CSV", s, b, o), c.want)
			}
		}
	}
}

// TestTemplateOut has what ClickHouse 26.7 wrote.
func TestTemplateOut(t *testing.T) {
	s := schemaOf(t, "a", "UInt64", "b", "String", "c", "Array(UInt8)", "d", "Nullable(Int8)")
	f, err := Lookup("CSV")
	if err != nil {
		t.Fatal(err)
	}
	b, err := readBlock(t, f, strings.NewReader("0,\"x\"\"y,'<&>\",\"[1,2]\",\\N\n1,\"p\tq\",\"[]\",5\n"), s, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Template.RowFormat, o.Template.Between = `<${a:CSV}|${b:CSV}|${b:Quoted}|${b:Escaped}|${b:JSON}|${b:XML}|${c:JSON}|${d:Quoted}|${d:XML}>`, ",\n"
	o.Template.ResultFormat = "begin\n${data}\nrows=${rows:CSV} before=${rows_before_limit:JSON} read=${rows_read:Quoted} t=${totals} min=${min} max=${max}"
	var out bytes.Buffer
	if f, err = Lookup("Template"); err != nil {
		t.Fatal(err)
	}
	w, err := f.NewWriter(&out, s, o)
	if err != nil {
		t.Fatal(err)
	}
	one := b.Slice(1, 2)
	for _, err := range []error{w.Write(b), w.Totals(one), w.Extremes(b), w.Close(Stats{HasLimit: true, BeforeLimit: 9, ReadRows: 7})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const first = `<0|"x""y,'<&>"|'x"y,\'<&>'|x"y,\'<&>|"x\"y,'<&>"|x"y,'&lt;&amp;>|[1,2]|NULL|\N>`
	const second = "<1|\"p\tq\"|'p\\tq'|p\\tq|\"p\\tq\"|p\tq|[]|5|5>"
	if want := "begin\n" + first + ",\n" + second + "\nrows=2 before=9 read=7 t=" + second + " min=" + first + " max=" + second; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	for _, result := range []string{"${data} ${totals}", "${data} ${rows_before_limit:CSV}", "${data} ${rows}", "${data} ${data}", "${data:CSV}", "${data} ${min:CSV}"} {
		o.Template.ResultFormat = result
		w, err := f.NewWriter(&out, s, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(Stats{}); !sqlerr.Is(err, sqlerr.InvalidTemplateFormat) {
			t.Errorf("%s: %v", result, err)
		}
	}
}

// TestPrometheus has what ClickHouse 26.7 wrote.
func TestPrometheus(t *testing.T) {
	s := schemaOf(t, "name", "String", "type", "String", "help", "String", "labels", "Map(String, String)", "value", "Float64", "timestamp", "Nullable(Int64)")
	f, err := Lookup("CSV")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"http,counter,Total,\"{'method':'post','code':'200'}\",1027,1395066363000\nhttp,,,\"{'code':'400'}\",3,\\N\nplain,,,{},12.5,0\nweird,,,\"{'p':'a\"\"b'}\",inf,-3982045\n": "# HELP http Total\n# TYPE http counter\nhttp{code=\"200\",method=\"post\"} 1027 1395066363000\nhttp{code=\"400\"} 3\n\nplain 12.5\n\nweird{p=\"a\\\"b\"} +Inf -3982045\n\n",
		"h,histogram,A,{'le':'0.1'},33444,0\nh,,,{'le':'0.05'},24054,0\nh,,,{'le':'+Inf'},144320,0\nh,,,{'sum':''},53423,0\n":                                                     "# HELP h A\n# TYPE h histogram\nh_bucket{le=\"0.05\"} 24054\nh_bucket{le=\"0.1\"} 33444\nh_bucket{le=\"+Inf\"} 144320\nh_sum 53423\nh_count 144320\n\n",
		"h,histogram,A,\"{'le':'0.1','x':'y'}\",33444,0\nh,,,{'le':'1e2'},24054,5\nh,,,{'count':''},144,0\n":                                                                      "# HELP h A\n# TYPE h histogram\nh_bucket{le=\"0.1\",x=\"y\"} 33444\nh_bucket{le=\"1e2\"} 24054 5\nh_count 144\nh_bucket{le=\"+Inf\"} 144\n\n",
		"r,summary,S,{'quantile':'0.5'},3102,0\nr,,,{'quantile':'0.01'},4773,0\nr,,,{'count':''},2693,0\nr,,,{'sum':''},1.75e7,0\n":                                               "# HELP r S\n# TYPE r summary\nr{quantile=\"0.01\"} 4773\nr{quantile=\"0.5\"} 3102\nr_sum 17500000\nr_count 2693\n\n",
	} {
		b, err := readBlock(t, f, strings.NewReader(in), s, Defaults())
		if err != nil {
			t.Fatal(in, err)
		}
		if got := string(write(t, "Prometheus", s, b, Defaults())); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	for _, cols := range [][]string{{"name", "String"}, {"name", "UInt8", "value", "UInt8"}, {"name", "String", "value", "String"}, {"name", "Nullable(String)", "value", "UInt8"},
		{"name", "String", "value", "UInt8", "labels", "Map(String, UInt8)"}} {
		p, err := Lookup("Prometheus")
		if err != nil {
			t.Fatal(err)
		}
		w, err := p.NewWriter(&bytes.Buffer{}, schemaOf(t, cols...), Defaults())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(Stats{}); !sqlerr.Is(err, sqlerr.BadArguments) {
			t.Errorf("%v: %v", cols, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("${a:CSV}-${b:Quoted}", "[${data}]", ",", "[1-'x',2-'y']", true)
	f.Add("${b:JSON}${:Raw}", "${data}${:CSV}", "", "\"x\"1\n", false)
	f.Add("${1:Escaped}\t$$", "${data}$$", "\n", "x\t$\ny\t$$", true)
	s := schemaOf(f, "a", "Nullable(Int32)", "b", "String")
	f.Fuzz(func(t *testing.T, row, result, between, in string, spaces bool) {
		o := Defaults()
		o.AllowErrorsNum = 3
		o.Template = TemplateOptions{RowFormat: row, ResultFormat: result, Between: between}
		o.Custom = CustomOptions{Rule: "Quoted", Field: row, RowAfter: between, ResultAfter: result}
		for _, name := range []string{"Template", "TemplateIgnoreSpaces", "CustomSeparatedWithNames", "CustomSeparatedIgnoreSpaces"} {
			whole, err := readAll(t, name, s, strings.NewReader(in), o)
			parts, perr := readAll(t, name, s, iotest.OneByteReader(strings.NewReader(in)), o)
			if (err == nil) != (perr == nil) || err == nil && whole.N != parts.N {
				t.Errorf("%s of %q with %q %q %q: %v, byte by byte %v", name, in, row, result, between, err, perr)
			}
		}
	})
}
