package hits

// Kind is how a column's values are held and encoded.
type Kind uint8

// The kinds of the columns of hits.
const (
	Int16 Kind = iota
	Int32
	Int64
	String
	Date     // days since 1970-01-01
	DateTime // seconds since 1970-01-01 00:00:00 UTC
)

// Column is one column of the table.
type Column struct {
	Name string
	Kind Kind
}

// Positions of the columns in Columns and in a Row.
const (
	WatchID = iota
	JavaEnable
	Title
	GoodEvent
	EventTime
	EventDate
	CounterID
	ClientIP
	RegionID
	UserID
	CounterClass
	OS
	UserAgent
	URL
	Referer
	IsRefresh
	RefererCategoryID
	RefererRegionID
	URLCategoryID
	URLRegionID
	ResolutionWidth
	ResolutionHeight
	ResolutionDepth
	FlashMajor
	FlashMinor
	FlashMinor2
	NetMajor
	NetMinor
	UserAgentMajor
	UserAgentMinor
	CookieEnable
	JavascriptEnable
	IsMobile
	MobilePhone
	MobilePhoneModel
	Params
	IPNetworkID
	TraficSourceID
	SearchEngineID
	SearchPhrase
	AdvEngineID
	IsArtifical
	WindowClientWidth
	WindowClientHeight
	ClientTimeZone
	ClientEventTime
	SilverlightVersion1
	SilverlightVersion2
	SilverlightVersion3
	SilverlightVersion4
	PageCharset
	CodeVersion
	IsLink
	IsDownload
	IsNotBounce
	FUniqID
	OriginalURL
	HID
	IsOldCounter
	IsEvent
	IsParameter
	DontCountHits
	WithHash
	HitColor
	LocalEventTime
	Age
	Sex
	Income
	Interests
	Robotness
	RemoteIP
	WindowName
	OpenerName
	HistoryLength
	BrowserLanguage
	BrowserCountry
	SocialNetwork
	SocialAction
	HTTPError
	SendTiming
	DNSTiming
	ConnectTiming
	ResponseStartTiming
	ResponseEndTiming
	FetchTiming
	SocialSourceNetworkID
	SocialSourcePage
	ParamPrice
	ParamOrderID
	ParamCurrency
	ParamCurrencyID
	OpenstatServiceName
	OpenstatCampaignID
	OpenstatAdID
	OpenstatSourceID
	UTMSource
	UTMMedium
	UTMCampaign
	UTMContent
	UTMTerm
	FromTag
	HasGCLID
	RefererHash
	URLHash
	CLID
	NumColumns
)

// Columns lists the table's columns in order.
var Columns = [NumColumns]Column{
	WatchID:               {"WatchID", Int64},
	JavaEnable:            {"JavaEnable", Int16},
	Title:                 {"Title", String},
	GoodEvent:             {"GoodEvent", Int16},
	EventTime:             {"EventTime", DateTime},
	EventDate:             {"EventDate", Date},
	CounterID:             {"CounterID", Int32},
	ClientIP:              {"ClientIP", Int32},
	RegionID:              {"RegionID", Int32},
	UserID:                {"UserID", Int64},
	CounterClass:          {"CounterClass", Int16},
	OS:                    {"OS", Int16},
	UserAgent:             {"UserAgent", Int16},
	URL:                   {"URL", String},
	Referer:               {"Referer", String},
	IsRefresh:             {"IsRefresh", Int16},
	RefererCategoryID:     {"RefererCategoryID", Int16},
	RefererRegionID:       {"RefererRegionID", Int32},
	URLCategoryID:         {"URLCategoryID", Int16},
	URLRegionID:           {"URLRegionID", Int32},
	ResolutionWidth:       {"ResolutionWidth", Int16},
	ResolutionHeight:      {"ResolutionHeight", Int16},
	ResolutionDepth:       {"ResolutionDepth", Int16},
	FlashMajor:            {"FlashMajor", Int16},
	FlashMinor:            {"FlashMinor", Int16},
	FlashMinor2:           {"FlashMinor2", String},
	NetMajor:              {"NetMajor", Int16},
	NetMinor:              {"NetMinor", Int16},
	UserAgentMajor:        {"UserAgentMajor", Int16},
	UserAgentMinor:        {"UserAgentMinor", String},
	CookieEnable:          {"CookieEnable", Int16},
	JavascriptEnable:      {"JavascriptEnable", Int16},
	IsMobile:              {"IsMobile", Int16},
	MobilePhone:           {"MobilePhone", Int16},
	MobilePhoneModel:      {"MobilePhoneModel", String},
	Params:                {"Params", String},
	IPNetworkID:           {"IPNetworkID", Int32},
	TraficSourceID:        {"TraficSourceID", Int16},
	SearchEngineID:        {"SearchEngineID", Int16},
	SearchPhrase:          {"SearchPhrase", String},
	AdvEngineID:           {"AdvEngineID", Int16},
	IsArtifical:           {"IsArtifical", Int16},
	WindowClientWidth:     {"WindowClientWidth", Int16},
	WindowClientHeight:    {"WindowClientHeight", Int16},
	ClientTimeZone:        {"ClientTimeZone", Int16},
	ClientEventTime:       {"ClientEventTime", DateTime},
	SilverlightVersion1:   {"SilverlightVersion1", Int16},
	SilverlightVersion2:   {"SilverlightVersion2", Int16},
	SilverlightVersion3:   {"SilverlightVersion3", Int32},
	SilverlightVersion4:   {"SilverlightVersion4", Int16},
	PageCharset:           {"PageCharset", String},
	CodeVersion:           {"CodeVersion", Int32},
	IsLink:                {"IsLink", Int16},
	IsDownload:            {"IsDownload", Int16},
	IsNotBounce:           {"IsNotBounce", Int16},
	FUniqID:               {"FUniqID", Int64},
	OriginalURL:           {"OriginalURL", String},
	HID:                   {"HID", Int32},
	IsOldCounter:          {"IsOldCounter", Int16},
	IsEvent:               {"IsEvent", Int16},
	IsParameter:           {"IsParameter", Int16},
	DontCountHits:         {"DontCountHits", Int16},
	WithHash:              {"WithHash", Int16},
	HitColor:              {"HitColor", String},
	LocalEventTime:        {"LocalEventTime", DateTime},
	Age:                   {"Age", Int16},
	Sex:                   {"Sex", Int16},
	Income:                {"Income", Int16},
	Interests:             {"Interests", Int16},
	Robotness:             {"Robotness", Int16},
	RemoteIP:              {"RemoteIP", Int32},
	WindowName:            {"WindowName", Int32},
	OpenerName:            {"OpenerName", Int32},
	HistoryLength:         {"HistoryLength", Int16},
	BrowserLanguage:       {"BrowserLanguage", String},
	BrowserCountry:        {"BrowserCountry", String},
	SocialNetwork:         {"SocialNetwork", String},
	SocialAction:          {"SocialAction", String},
	HTTPError:             {"HTTPError", Int16},
	SendTiming:            {"SendTiming", Int32},
	DNSTiming:             {"DNSTiming", Int32},
	ConnectTiming:         {"ConnectTiming", Int32},
	ResponseStartTiming:   {"ResponseStartTiming", Int32},
	ResponseEndTiming:     {"ResponseEndTiming", Int32},
	FetchTiming:           {"FetchTiming", Int32},
	SocialSourceNetworkID: {"SocialSourceNetworkID", Int16},
	SocialSourcePage:      {"SocialSourcePage", String},
	ParamPrice:            {"ParamPrice", Int64},
	ParamOrderID:          {"ParamOrderID", String},
	ParamCurrency:         {"ParamCurrency", String},
	ParamCurrencyID:       {"ParamCurrencyID", Int16},
	OpenstatServiceName:   {"OpenstatServiceName", String},
	OpenstatCampaignID:    {"OpenstatCampaignID", String},
	OpenstatAdID:          {"OpenstatAdID", String},
	OpenstatSourceID:      {"OpenstatSourceID", String},
	UTMSource:             {"UTMSource", String},
	UTMMedium:             {"UTMMedium", String},
	UTMCampaign:           {"UTMCampaign", String},
	UTMContent:            {"UTMContent", String},
	UTMTerm:               {"UTMTerm", String},
	FromTag:               {"FromTag", String},
	HasGCLID:              {"HasGCLID", Int16},
	RefererHash:           {"RefererHash", Int64},
	URLHash:               {"URLHash", Int64},
	CLID:                  {"CLID", Int32},
}
