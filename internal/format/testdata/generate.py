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
