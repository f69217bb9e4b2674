"""Writes the golden outputs of this folder with ClickHouse itself (package chdb): python3 generate.py"""
import os, re, chdb

QUERY = """select number as n, toString(number*11) as `s x`, if(number=1,NULL,toFloat64(number)/3) as f, [number, 2] as a,
 map('k',number) as m, tuple(1,'x') as t, toDate('2020-01-02') as d, toDateTime('2020-01-02 03:04:05','UTC') as dt, true as b,
 nan as z, 'a\\\\b\\'c"<&' as e, toLowCardinality('lc') as lc, cast(number = 0 ? NULL : 'q', 'LowCardinality(Nullable(String))') as lcn,
 toDecimal64('1.50', 2) as dec, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') as u from numbers(2)"""
FORMATS = """Pretty PrettyCompact PrettySpace Vertical Markdown JSON JSONCompact JSONStrings JSONEachRow JSONStringsEachRow
 JSONCompactEachRowWithNamesAndTypes JSONCompactStringsEachRow JSONObjectEachRow JSONColumns JSONColumnsWithMetadata JSONCompactColumns
 XML TSKV TSVWithNamesAndTypes TSVRaw CSVWithNamesAndTypes Values SQLInsert RowBinaryWithNamesAndTypes Native""".split()
here = os.path.dirname(os.path.abspath(__file__))
for f in FORMATS:
    out = bytes(chdb.query(QUERY, f).bytes())
    out = re.sub(rb'"elapsed": [0-9.e-]+', b'"elapsed": 0', out)
    out = re.sub(rb'<elapsed>[0-9.e-]+', b'<elapsed>0', out)
    open(os.path.join(here, f + ".golden"), "wb").write(out)

# All types, for the formats of files: names and types, the rows as JSONEachRow, and the files.
TYPES = """u8 UInt8|number; i8 Int8|-number; u16 UInt16|number*1000; i16 Int16|-number*1000; u32 UInt32|number*1000000000; i32 Int32|-number; u64 UInt64|number*1000000000000000000
i64 Int64|-number; i128 Int128|-number; u128 UInt128|number; i256 Int256|-number; u256 UInt256|number; f32 Float32|number/4; f64 Float64|-number/8; b Bool|number%2
s String|repeat('aé\\n"', number); fs FixedString(3)|toString(number)||'bc'; d Date|number+18000; d32 Date32|number+18000; dt DateTime('UTC')|number+1577934245
dt0 DateTime64(0, 'UTC')|number+1577934245; dt1 DateTime64(1, 'UTC')|(number+1577934245)/1; dt6 DateTime64(6, 'Asia/Tokyo')|(number+1577934245)/1; dt9 DateTime64(9, 'UTC')|(number+1577934245)/1
dc32 Decimal(9, 2)|number/4; dc64 Decimal(18, 3)|-number/8; dc128 Decimal(38, 4)|-number/8; dc256 Decimal(76, 5)|-number/8; uu UUID|'61f0c404-5cb3-11e7-907b-a6006ad3dba'||number
ip4 IPv4|'1.2.3.'||number; ip6 IPv6|'fe80::'||number; e8 Enum8('ea' = 0, 'eb' = 1, 'ec' = 2, 'ed' = 3)|number; e16 Enum16('pp' = 0, 'qq' = 1, 'rr' = 2, 'ss' = 3000)|['pp','qq','rr','ss'][number+1]
ni Nullable(Int32)|if(number=1,NULL,number); ns Nullable(String)|if(number=2,NULL,toString(number)); lc LowCardinality(String)|toString(number%2); lcn LowCardinality(Nullable(String))|if(number=1,NULL,'q')
a Array(UInt8)|range(number); an Array(Nullable(Int32))|if(number=1,[],[NULL,number]); aa Array(Array(String))|[[],[toString(number)]]; m Map(String, UInt64)|map('k',number,'l',1)
t Tuple(UInt8, String)|(number,'x'); tn Tuple(x UInt8, y Array(Tuple(a String, b Nullable(Date))))|(number,[('a',NULL),('b',toDate('2020-01-01'))])"""
columns = [c.strip().split('|', 1) for line in TYPES.split('\n') for c in line.split(';')]
select = 'SELECT ' + ', '.join("CAST(%s AS %s) AS %s" % (e, *reversed(h.split(' ', 1))) for h, e in columns) + ' FROM numbers(4)'
settings = " SETTINGS allow_suspicious_low_cardinality_types=1"


def save(name, data):
    open(os.path.join(here, name), "wb").write(bytes(data))


save("types.txt", ''.join('%s\t%s\n' % tuple(h.split(' ', 1)) for h, _ in columns).encode())
save("types.jsonl", chdb.query(select, "JSONEachRow").bytes())
save("clickhouse.arrow", chdb.query(select + settings, "Arrow").bytes())
save("clickhouse.arrows", chdb.query(select + settings + ", output_format_arrow_compression_method='zstd', max_block_size=1", "ArrowStream").bytes())
save("clickhouse_dict.arrows", chdb.query(select + settings + ", output_format_arrow_low_cardinality_as_dictionary=1", "ArrowStream").bytes())
save("clickhouse.avro", chdb.query(select + settings, "Avro").bytes())
save("clickhouse.msgpack", chdb.query(select + settings, "MsgPack").bytes())

# Protobuf does not tell nothing from defaults: beside each file is what ClickHouse reads in it itself.
structure = ', '.join(h for h, _ in columns).replace("'", "\\'")
open(os.path.join(here, "all.proto"), "w").write('''syntax = "proto3";
package test.all;
message M {
  uint32 n = 1; string s = 2; enum E { A = 0; B = 1; } E e = 3;
  message In { int32 k = 1; repeated string v = 2; }
  In inn = 4; repeated In list = 5; optional int64 o = 6; sint32 z = 7; fixed64 f = 8; map<string, int32> m = 9;
  oneof q { string q1 = 10; int32 q2 = 11; } bool b = 12; bytes by = 13; float fl = 14; double d = 15; repeated sfixed32 r = 16;
  sint64 z64 = 18; repeated E es = 19; repeated string rs = 20;
}
''')
proto_select = '''SELECT number AS n, 'x' AS s, ['A', 'B'][number % 2 + 1] AS e, (number, ['a', 'b'])::Tuple(k Int32, v Array(String)) AS inn,
 [(number, ['a']), (0, [])]::Array(Tuple(k Int32, v Array(String))) AS list, 0::Int64 AS o, -number::Int32 AS z, number + 7 AS f, map('a', number) AS m,
 'qq' AS q1, number = 1 AS b, 'by' AS by, number / 2 AS fl, -number / 4 AS d, [1, -2] AS r, -number::Int64 AS z64,
 ['A', 'B']::Array(Enum8('A' = 3, 'B' = 4)) AS es, ['', 'r'] AS rs FROM numbers(3)'''
PROTO = "n UInt32, s String, e String, inn Tuple(k Int32, v Array(String)), list Array(Tuple(k Int32, v Array(String))), o Int64, z Int32, f UInt64, m Map(String, UInt64), q1 String, b Bool, by String, fl Float64, d Float64, r Array(Int32), z64 Int64, es Array(Enum8('A' = 3, 'B' = 4)), rs Array(String)"
proto_settings = " SETTINGS format_schema='%s:M'" % os.path.join(here, "all.proto")
save("proto.txt", PROTO.encode())
for name, query, st, sets in (("types", select, structure, settings), ("proto", proto_select, PROTO.replace("'", "\\'"), proto_settings)):
    for f in ("Protobuf", "ProtobufList"):
        save("%s.%s" % (name, f.lower()), chdb.query(query + sets, f).bytes())
    path = os.path.join(here, name + ".protobuf")
    save(name + ".protobuf.jsonl", chdb.query("SELECT * FROM file('%s', Protobuf, '%s')%s" % (path, st, sets), "JSONEachRow").bytes())
save("proto.jsonl", chdb.query(proto_select, "JSONEachRow").bytes())
