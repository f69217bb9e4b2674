package format

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/bufbuild/protocompile"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Schemas is the folder of the files that format_schema may name.
type Schemas struct {
	FS     vfs.FS
	Folder string
}

// Limits on schemas.
const (
	// maxSchemaFile bounds a file of a schema; the largest of public APIs have 300 KB.
	maxSchemaFile = 4 << 20
	// maxSchemaFiles bounds the files that one imports, and these.
	maxSchemaFiles = 256
)

// read returns a file of the folder.
func (s *Schemas) read(name string) (data []byte, err error) {
	if s == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Files of schemas are not available here: the config names no folder of them")
	}
	folder, err := vfs.OpenFolder(s.FS, s.Folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, maxSchemaFile+1))
	if len(data) > maxSchemaFile {
		return nil, sqlerr.New(sqlerr.BadArguments, "The schema %s has more than %d bytes", name, maxSchemaFile)
	}
	return data, err
}

// protoSchema is the type of messages that the settings name, or that the columns make.
func protoSchema(s column.Schema, o *Options) (*protoMessage, error) {
	if o.Schema == "" {
		if !o.AutoSchema {
			return nil, sqlerr.New(sqlerr.BadArguments, "The format Protobuf requires a schema. The setting format_schema should be set")
		}
		return protoOfColumns(s)
	}
	file, message := o.Schema, o.SchemaMessage
	var text []byte
	if o.SchemaSource == "string" {
		file, text = "schema.proto", []byte(o.Schema)
	} else if i := strings.LastIndexByte(file, ':'); i >= 0 {
		file, message = file[:i], file[i+1:]
	}
	if message == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Expected the message behind ':' in format_schema, or in the setting format_schema_message_name")
	}
	if path.Ext(file) == "" {
		file += ".proto"
	}
	d, err := compileProto(file, text, o.Schemas)
	if err != nil {
		return nil, err
	}
	m := findProto(d, message)
	if m == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Could not find a message named '%s' in the schema file '%s'", message, file)
	}
	return protoOf(m, map[protoreflect.FullName]*protoMessage{}), nil
}

// compileProto parses a file, which is text or in the folder, and what it imports.
func compileProto(file string, text []byte, schemas *Schemas) (protoreflect.FileDescriptor, error) {
	var files atomic.Int32 // the compiler asks from goroutines of its own
	c := protocompile.Compiler{MaxParallelism: 1, Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: func(name string) (io.ReadCloser, error) {
			if files.Add(1) > maxSchemaFiles {
				return nil, sqlerr.New(sqlerr.BadArguments, "The schema %s imports more than %d files", file, maxSchemaFiles)
			}
			if name == file && text != nil {
				return io.NopCloser(bytes.NewReader(text)), nil
			}
			data, err := schemas.read(name)
			return io.NopCloser(bytes.NewReader(data)), err
		},
	})}
	out, err := c.Compile(context.Background(), file)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotParseProtobufSchema, "Cannot parse the Protobuf schema '%s'", file)
	}
	return out[0], nil
}

// findProto finds a message by its name in the file, with or without the package, or in the message Envelope.
func findProto(d protoreflect.FileDescriptor, name string) protoreflect.MessageDescriptor {
	for _, full := range []string{name, string(d.Package()) + "." + name, "Envelope." + name, string(d.Package()) + ".Envelope." + name} {
		list := d.Messages()
		rest, ok := strings.CutPrefix(full, string(d.Package())+".")
		if d.Package() == "" {
			rest, ok = full, true
		}
		for ok {
			first, more, nested := strings.Cut(rest, ".")
			m := list.ByName(protoreflect.Name(first))
			if m == nil {
				break
			}
			if !nested {
				return m
			}
			list, rest = m.Messages(), more
		}
	}
	return nil
}

// protoOf is a message as it is used here; seen are those that were made, for messages may hold themselves.
func protoOf(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]*protoMessage) *protoMessage {
	if m := seen[d.FullName()]; m != nil {
		return m
	}
	m := &protoMessage{name: string(d.Name())}
	seen[d.FullName()] = m
	fields := d.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		p := &protoField{name: string(f.Name()), num: f.Number(), kind: f.Kind(), repeated: f.Cardinality() == protoreflect.Repeated,
			packed: f.IsPacked(), presence: f.HasPresence() && f.Message() == nil, isMap: f.IsMap()}
		if f.Message() != nil {
			p.msg = protoOf(f.Message(), seen)
		}
		if f.Enum() != nil {
			p.names, p.numbers = map[int32]string{}, map[string]int32{}
			for k := range f.Enum().Values().Len() {
				v := f.Enum().Values().Get(k)
				p.numbers[string(v.Name())] = int32(v.Number())
				if p.names[int32(v.Number())] == "" {
					p.names[int32(v.Number())] = string(v.Name())
				}
			}
		}
		m.fields = append(m.fields, p)
	}
	m.sort()
	return m
}

// protoOfColumns is the message that columns make: their numbers in order, those of a name with a dot in a message of their own.
func protoOfColumns(s column.Schema) (*protoMessage, error) {
	names, list := make([]string, len(s)), make([]*types.Type, len(s))
	for i, f := range s {
		names[i], list[i] = f.Name, f.Type
	}
	return protoOfFields("Message", names, list, 0)
}

func protoOfFields(message string, names []string, list []*types.Type, depth int) (*protoMessage, error) {
	m := &protoMessage{name: message}
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Type is nested deeper than %d", maxDepth)
	}
	dotted := map[string]bool{}
	for i, name := range names {
		num := protowire.Number(len(m.fields) + 1)
		first, _, ok := strings.Cut(name, ".")
		if !ok {
			f := &protoField{name: name, num: num}
			if err := f.describe(list[i], depth); err != nil {
				return nil, err
			}
			m.fields = append(m.fields, f)
			continue
		}
		if dotted[first] {
			continue
		}
		dotted[first] = true
		var inNames []string
		var inTypes []*types.Type
		for k, other := range names {
			if rest, ok := strings.CutPrefix(other, first+"."); ok {
				inNames, inTypes = append(inNames, rest), append(inTypes, list[k])
			}
		}
		in, err := protoOfFields(first, inNames, inTypes, depth+1)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, &protoField{name: first, num: num, kind: protoreflect.MessageKind, msg: in})
	}
	return m, nil
}

// describe is what a field for values of t is.
func (f *protoField) describe(t *types.Type, depth int) error {
	t = t.Inner()
	var err error
	switch t.Kind {
	case types.Array:
		if t.Elem().Inner().Kind == types.Array || t.Elem().Inner().Kind == types.Map { // in a message of its own
			f.kind = protoreflect.MessageKind
			f.msg, err = protoOfFields(f.name, []string{strings.ReplaceAll(f.name, ".", "_")}, []*types.Type{t.Elem()}, depth+1)
		} else {
			err = f.describe(t.Elem(), depth+1)
		}
		f.repeated = true
		f.packed = protoWire(f.kind) != protowire.BytesType
	case types.Map:
		f.kind, f.repeated, f.isMap = protoreflect.MessageKind, true, true
		if f.msg, err = protoOfFields("Entry", []string{"key", "value"}, t.Elems, depth+1); err == nil && t.Elems[0].Inner().Kind == types.String {
			f.msg.fields[0].kind = protoreflect.StringKind
		}
	case types.Tuple:
		names := t.Names
		if names == nil {
			for i := range t.Elems {
				names = append(names, "e"+strconv.Itoa(i+1))
			}
		}
		f.kind = protoreflect.MessageKind
		f.msg, err = protoOfFields(f.name, names, t.Elems, depth+1)
	case types.Enum8, types.Enum16:
		f.kind = protoreflect.EnumKind
		f.names, f.numbers = map[int32]string{}, map[string]int32{}
		for i, e := range t.Enum {
			f.names[int32(i)], f.numbers[e.Name] = e.Name, int32(i)
		}
	default:
		kind, ok := protoKinds[t.Kind]
		if !ok {
			return sqlerr.New(sqlerr.BadArguments, "Type %s is not supported for conversion into Protobuf schema", t)
		}
		f.kind = kind
	}
	return err
}

// protoKinds are the kinds of fields that columns make.
var protoKinds = map[types.Kind]protoreflect.Kind{
	types.Bool: protoreflect.BoolKind, types.UInt8: protoreflect.Uint32Kind, types.UInt16: protoreflect.Uint32Kind, types.UInt32: protoreflect.Uint32Kind,
	types.UInt64: protoreflect.Uint64Kind, types.Int8: protoreflect.Int32Kind, types.Int16: protoreflect.Int32Kind, types.Int32: protoreflect.Int32Kind,
	types.Int64: protoreflect.Int64Kind, types.Int128: protoreflect.BytesKind, types.UInt128: protoreflect.BytesKind, types.Int256: protoreflect.BytesKind,
	types.UInt256: protoreflect.BytesKind, types.Float32: protoreflect.FloatKind, types.Float64: protoreflect.DoubleKind, types.String: protoreflect.BytesKind,
	types.FixedString: protoreflect.BytesKind, types.Date: protoreflect.Uint32Kind, types.Date32: protoreflect.Int32Kind, types.DateTime: protoreflect.Uint32Kind,
	types.DateTime64: protoreflect.Uint64Kind, types.Decimal: protoreflect.BytesKind, types.UUID: protoreflect.BytesKind, types.IPv4: protoreflect.Uint32Kind,
	types.IPv6: protoreflect.BytesKind,
}
