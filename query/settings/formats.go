package settings

import (
	"time"

	"github.com/olapd/olapd/internal/format"
)

// Format returns what the settings say to formats; zone and now are the session's time zone and the query's moment.
func (v *Values) Format(zone *time.Location, now time.Time) format.Options {
	o := format.Defaults()
	o.Zone, o.Now = zone, now
	o.Quote64, o.QuoteDenormals, o.QuoteDecimals = JSONQuote64.Of(v), JSONQuoteDenorm.Of(v), JSONQuoteDecimal.Of(v)
	o.NamedTuples, o.WriteStatistics = JSONNamedTuples.Of(v), WriteStatistics.Of(v)
	o.Native = format.NativeForm{Flat: NativeFlat.Of(v), JSONText: NativeJSONText.Of(v), DateTimes: DateTimeOutput.Of(v), Quote64: JSONQuote64.Of(v)}
	o.DateTimeInput, o.DateTimeOutput = DateTimeInput.Of(v), DateTimeOutput.Of(v)
	o.SkipUnknown, o.NullAsDefault, o.DefaultsOmitted = SkipUnknown.Of(v), NullAsDefault.Of(v), DefaultsForOmitted.Of(v)
	o.AllowErrorsNum, o.AllowErrorsPart = AllowErrorsNum.Of(v), AllowErrorsRatio.Of(v)
	o.CSVDelimiter = CSVDelimiter.Of(v)[0]
	o.PrettyRowNums, o.PrettyMaxRows = PrettyRowNumbers.Of(v), int(min(PrettyMaxRows.Int(v), maxPrettyRows))
	o.ArrowCompression, o.ArrowDictionaries = ArrowCompression.Of(v), ArrowDictionary.Of(v)
	o.Regexp, o.RegexpRule, o.RegexpSkip = RegexpPattern.Of(v), RegexpRule.Of(v), RegexpSkip.Of(v)
	o.Schema, o.SchemaMessage, o.SchemaSource, o.AutoSchema = FormatSchema.Of(v), SchemaMessage.Of(v), SchemaSource.Of(v), ProtobufAuto.Of(v)
	o.Custom = format.CustomOptions{Rule: CustomRule.Of(v), Field: CustomField.Of(v), RowBefore: CustomRowBefore.Of(v), RowAfter: CustomRowAfter.Of(v),
		RowBetween: CustomRowBetween.Of(v), ResultBefore: CustomBefore.Of(v), ResultAfter: CustomAfter.Of(v)}
	o.Template = format.TemplateOptions{Row: TemplateRow.Of(v), RowFormat: TemplateRowText.Of(v), Result: TemplateResult.Of(v), ResultFormat: TemplateAllText.Of(v),
		Between: TemplateBetween.Of(v)}
	if codec := AvroCodec.Of(v); codec != "" {
		o.AvroCodec = codec
	}
	return o
}

// maxPrettyRows bounds what Pretty formats hold before they know the columns' widths.
const maxPrettyRows = 1 << 20
